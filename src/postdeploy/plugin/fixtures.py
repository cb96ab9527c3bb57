"""What Python checks ask for: target, release, secrets, a client for each service, and Playwright's page."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import pytest

from postdeploy.domain.target import Target
from postdeploy.guard.identity import identity_headers, user_agent
from postdeploy.plugin.keys import ACTIVITY, EXECUTION, PLANNED
from postdeploy.plugin.learnt import KnownSecrets
from postdeploy.plugin.pages import PAGES, TestPages

if TYPE_CHECKING:
    import httpx2

    from postdeploy.browser.session import BrowserSession

_ACTION_TIMEOUT: Final = 5_000
"""Milliseconds that an action on a page may take, as many as Playwright's own expectations wait."""

_NAVIGATION_TIMEOUT: Final = 15_000

__all__ = ["browser", "client", "context", "page", "playwright", "release", "secrets", "service_clients", "target"]


def service_clients(services: Iterable[str]) -> ModuleType:
    """One client fixture for each service, by its name; a plugin, so that a conftest can override them."""
    plugin = ModuleType("services")
    for name in services:
        setattr(plugin, name, pytest.fixture(scope="session", name=name)(_client_of(name)))
    return plugin


def _client_of(name: str) -> Callable[..., httpx2.Client]:
    def service_client(client: Callable[[str], httpx2.Client]) -> httpx2.Client:
        return client(name)

    service_client.__doc__ = f"A client for service {name}, whose paths are relative to it."
    return service_client


@pytest.fixture(scope="session")
def target(pytestconfig: pytest.Config) -> Target:
    """The target that is verified."""
    return pytestconfig.stash[EXECUTION].target


@pytest.fixture(scope="session")
def release(pytestconfig: pytest.Config) -> str | None:
    """The release that the pipeline says it deployed."""
    return pytestconfig.stash[EXECUTION].context.expected


@pytest.fixture(scope="session")
def secrets(pytestconfig: pytest.Config, target: Target) -> KnownSecrets:
    """The secrets of the target; ``reveal()`` gives a value, which is masked wherever it is printed.

    ``secrets.learn("name", value)`` masks a value that a test came to know, such as the token of a login.
    """
    return KnownSecrets(target.secrets, pytestconfig.stash[EXECUTION].redactor)


@pytest.fixture(scope="session")
def client(pytestconfig: pytest.Config) -> Iterator[Callable[[str], httpx2.Client]]:
    """``client("name")`` is the client for a service: httpx2's own, guarded, one for the whole run."""
    from postdeploy.plugin.clients import Clients

    clients = Clients(pytestconfig.stash[EXECUTION])
    yield clients.of
    clients.close()


@pytest.fixture
def evidence(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """``evidence("what was verified")`` proves a check that exchanges something by other means than our clients."""
    notes: list[str] = request.node.stash[ACTIVITY].notes
    return notes.append


@pytest.fixture(scope="session")
def _browser_session(pytestconfig: pytest.Config) -> Iterator[BrowserSession]:
    from postdeploy.browser.find import find_browser
    from postdeploy.browser.session import BrowserSession

    execution = pytestconfig.stash[EXECUTION]
    setting = execution.settings.browser
    session = BrowserSession(lambda: find_browser(setting, os.environ), launch_arguments=execution.fence.arguments())
    yield session
    session.close()


@pytest.fixture(scope="session")
def playwright(_browser_session: BrowserSession) -> Any:
    """Playwright itself, for its list of devices and the like."""
    return _browser_session.playwright


@pytest.fixture(scope="session")
def browser(_browser_session: BrowserSession) -> Any:
    """Playwright's browser, one for the whole run."""
    return _browser_session.browser


@pytest.fixture(scope="session")
def browser_context_args() -> dict[str, Any]:
    """Arguments of Playwright's ``new_context``; override this fixture to change them."""
    return {}


@pytest.fixture
def context(
    request: pytest.FixtureRequest, _browser_session: BrowserSession, browser_context_args: dict[str, Any]
) -> Iterator[Any]:
    """Playwright's browser context, new for each test: guarded, its relative addresses those of service ``web``."""
    execution = request.config.stash[EXECUTION]
    from postdeploy.browser.toll import Rules

    item, fence = request.node, execution.fence
    pages = TestPages(item, execution, _browser_session.kill)
    item.stash[PAGES] = pages
    attempt = getattr(item, "execution_count", 1)
    headers = dict(identity_headers(execution.context.run_id, item.stash[PLANNED].id, attempt))
    headers.pop("User-Agent")
    base = execution.target.services.get("web") or next(iter(execution.target.services.values()))
    opened = _browser_session.open_context(
        base.url,
        recorder=pages.recorder,
        rules=Rules(fence.refusal, fence.routed, fence.sealed, fence.pace),
        user_agent=user_agent(),
        extra_http_headers=headers,
        **browser_context_args,
    )
    opened.set_default_timeout(_ACTION_TIMEOUT)
    opened.set_default_navigation_timeout(_NAVIGATION_TIMEOUT)
    yield opened
    pages.close()
    with suppress(Exception):  # a browser that was killed has closed everything, and says so in many ways
        opened.close()


@pytest.fixture
def page(context: Any) -> Any:
    """Playwright's page; console errors and failed requests fail the test unless ``expected`` allows them."""
    return context.new_page()


@pytest.fixture
def expected(request: pytest.FixtureRequest, context: Any) -> Any:
    """``expected.allow_console(pattern)`` and ``expected.allow_requests(pattern)``: errors that a test provokes."""
    del context
    return request.node.stash[PAGES].recorder


def _has_timeouts(config: pytest.Config) -> bool:
    """Whether pytest-timeout is there, by the name of its entry point or of its module."""
    return bool(config.pluginmanager.hasplugin("timeout") or config.pluginmanager.hasplugin("pytest_timeout"))


@pytest.fixture(scope="session")
def delete_output_dir() -> None:
    """Stands in for pytest-playwright's, which deletes the folder of ``--output`` in every process."""
