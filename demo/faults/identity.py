"""The release that answers is not the release that should."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import override

from demo.faults.base import Fault, FaultError, Proceed
from demo.release import Release, checked

BUILD_INFO = "/build-info.json"
OLD_COMMIT = "0ldc0de"


class WrongRelease(Fault):
    """Build-info and x-release name another commit (0ldc0de)."""

    name = "wrong-release"
    value = "COMMIT"

    def __init__(self, value: str) -> None:
        super().__init__(value)
        self._commit = _commit(value)

    @override
    def claim(self, release: Release, path: str) -> Release:
        return replace(release, commit=self._commit)


class MixedRelease(Fault):
    """Every second answer names the old commit (0ldc0de)."""

    name = "mixed-release"
    value = "COMMIT"

    def __init__(self, value: str) -> None:
        super().__init__(value)
        self._commit = _commit(value)
        self._answers: Counter[bool] = Counter()

    @override
    def claim(self, release: Release, path: str) -> Release:
        # Build-info is counted apart, so that no other traffic decides what it says.
        kind = path == BUILD_INFO
        self._answers[kind] += 1
        return release if self._answers[kind] % 2 else replace(release, commit=self._commit)


class NoReleaseHeader(Fault):
    """Answers carry no x-release header."""

    name = "no-release-header"

    @override
    def finish(self, response: Response) -> None:
        if "x-release" in response.headers:
            del response.headers["x-release"]


class NoBuildInfo(Fault):
    """Build-info.json is a 404."""

    name = "no-build-info"

    @override
    async def around(self, request: Request, proceed: Proceed) -> Response:
        if request.scope["path"] == BUILD_INFO:
            return Response("Not Found", 404)
        return await proceed(request)


def _commit(value: str) -> str:
    try:
        return checked(value or OLD_COMMIT)
    except ValueError as error:
        raise FaultError(str(error)) from None


FAULTS: tuple[type[Fault], ...] = (WrongRelease, MixedRelease, NoReleaseHeader, NoBuildInfo)
