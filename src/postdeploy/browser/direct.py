"""Playwright's own HTTP client, which sends beside the pages: asked about first, redirects followed hop by hop."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin

from postdeploy.browser.refusal import sleeper
from postdeploy.browser.toll import Rules
from postdeploy.browser.watch import Watch
from postdeploy.errors import GuardRefusalError
from postdeploy.guard.pace import StoppedError, length
from postdeploy.guard.redirects import Hop, following

if TYPE_CHECKING:
    from playwright.sync_api import APIResponse, BrowserContext, Playwright

__all__ = ["guard_client", "refuse_client_contexts"]

_METHODS: Final = ("delete", "get", "head", "patch", "post", "put")
_BODIES: Final = ("data", "form", "multipart")
_REDIRECTS: Final = 20


def guard_client(context: BrowserContext, rules: Rules, watch: Watch, base: str | None) -> None:
    """Guard the client of a context, which its pages share; ``base`` is what relative addresses are relative to."""
    client = context.request
    direct = _Direct(client.fetch, rules, watch, base or "", sleeper(context))
    for name in _METHODS:
        setattr(client, name, functools.partial(direct.send, name.upper()))
    setattr(client, "fetch", direct.fetch)  # noqa: B010  # mypy forbids the assignment


def refuse_client_contexts(playwright: Playwright) -> None:
    """Clients of no context would be asked by nobody."""

    def refuse(**_options: Any) -> None:
        raise GuardRefusalError("playwright.request sends what nobody has asked about", allow="use context.request")

    setattr(playwright.request, "new_context", refuse)  # noqa: B010  # mypy forbids the assignment


class _Direct:
    def __init__(
        self,
        fetch: Callable[..., APIResponse],
        rules: Rules,
        watch: Watch,
        base: str,
        sleep: Callable[[float], None],
    ) -> None:
        self._fetch = fetch
        self._rules = rules
        self._sleep = sleep
        self._watch = watch
        self._base = base

    def fetch(self, url_or_request: Any, **options: Any) -> APIResponse:
        """As ``APIRequestContext.fetch``."""
        if isinstance(url_or_request, str):
            return self.send(str(options.pop("method", None) or "GET"), url_or_request, **options)
        facts = {"headers": dict(url_or_request.headers), "data": url_or_request.post_data_buffer}
        merged = {name: value for name, value in facts.items() if value is not None} | options
        return self.send(str(merged.pop("method", None) or url_or_request.method), url_or_request.url, **merged)

    def send(self, method: str, url: str, **options: Any) -> APIResponse:
        """Send, and follow as many redirects as ``max_redirects`` says. Raises GuardRefusalError."""
        left = options.pop("max_redirects", None)
        left = _REDIRECTS if left is None else int(left)
        hop = Hop(
            method.upper(), urljoin(self._base, url), dict(options.pop("headers", None) or {}), _has_body(options)
        )
        while True:
            response = self._once(hop, options)
            onward = following(hop, response.status, response.headers.get("location"))
            if onward is None or left <= 0:
                return response
            if hop.body and not onward.body:
                options = _without_body(options)
            options.pop("params", None)  # the redirect's address is whole
            hop, left = onward, left - 1

    def _once(self, hop: Hop, options: Mapping[str, Any]) -> APIResponse:
        reason = self._rules.allowed(hop.method, hop.url)
        if reason is not None:
            raise GuardRefusalError(reason)
        pace = self._rules.pace
        if pace is None:
            return self._fetched(hop, options)
        try:
            pace.wait_by(self._sleep)
        except StoppedError as error:
            raise GuardRefusalError(f"{hop.method} {hop.url}: {error}") from error
        sent, received = pace.now(), 0
        try:
            response = self._fetched(hop, options)
            told = length(response.headers)
            received = len(response.body()) if told is None else told
        finally:
            pace.ended(received)
        pace.answered(hop.url, response.status, response.headers, sent)
        return response

    def _fetched(self, hop: Hop, options: Mapping[str, Any]) -> APIResponse:
        response = self._fetch(hop.url, method=hop.method, headers=dict(hop.headers), max_redirects=0, **options)
        self._watch.answered(response.url, response.headers)
        return response


def _has_body(options: Mapping[str, Any]) -> bool:
    return any(options.get(name) is not None for name in _BODIES)


def _without_body(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in _BODIES}
