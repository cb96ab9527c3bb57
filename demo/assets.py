"""The page's files under names that change with their content and with the release."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from starlette.requests import Request
from starlette.responses import Response

STATIC = Path(__file__).parent / "static"
PREFIX = "/assets/"
INDEX = "index.html"
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
_IMMUTABLE = "public, max-age=31536000, immutable"
# An import in a module, an url() in a style sheet, a placeholder in the page.
_REFERENCE = re.compile(r"""(?<=from ")\./([\w.-]+)(?=")|(?<=url\(")\./([\w.-]+)(?="\))|\{\{([\w.-]+)\}\}""")

Rewrite = Callable[[str, str], str]


@functools.cache
def sources() -> dict[str, str]:
    """Return the text of every file of the page by its plain name."""
    return {file.name: file.read_text("utf-8") for file in sorted(STATIC.rglob("*.*"))}


def etag_of(body: bytes) -> str:
    """Return the strong ETag of a body."""
    return f'"{hashlib.sha256(body).hexdigest()[:20]}"'


def cached(request: Request, response: Response) -> Response:
    """Return the response, or 304 where the client has it already."""
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if known & {response.headers["etag"], "*"}:
        return _not_modified(response)
    return response


def _not_modified(response: Response) -> Response:
    # Browsers update what they keep with these headers, so the policy of the page must be among them.
    kept = {name: value for name, value in response.headers.items() if not name.startswith("content-length")}
    return Response(status_code=304, headers=kept)


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is served."""

    path: str
    body: bytes

    def response(self) -> Response:
        """Return the answer with this file."""
        headers = {
            "content-type": _TYPES[PurePosixPath(self.path).suffix],
            "cache-control": _IMMUTABLE,
            "etag": etag_of(self.body),
        }
        return Response(self.body, headers=headers)


class Bundle:
    """All files of one release, each referring to the others by their hashed names."""

    def __init__(self, salt: str, rewrite: Rewrite) -> None:
        self._salt = salt
        self._sources = {name: rewrite(name, text) for name, text in sources().items()}
        self._built: dict[str, Asset] = {}
        self.page = self._refer(self._sources[INDEX])
        for name in self._sources:
            if name != INDEX:
                self._build(name)
        self._by_path = {asset.path: asset for asset in self._built.values()}

    def get(self, path: str) -> Asset | None:
        """Return the file that is served at this path."""
        return self._by_path.get(path)

    def paths(self) -> dict[str, str]:
        """Return the served path of each plain name."""
        return {name: asset.path for name, asset in self._built.items()}

    def _build(self, name: str) -> Asset:
        if name not in self._built:
            body = self._refer(self._sources[name]).encode()
            digest = hashlib.sha256(self._salt.encode() + b"\0" + body).hexdigest()[:10]
            file = PurePosixPath(name)
            self._built[name] = Asset(f"{PREFIX}{file.stem}-{digest}{file.suffix}", body)
        return self._built[name]

    def _refer(self, text: str) -> str:
        return _REFERENCE.sub(self._hashed, text)

    def _hashed(self, match: re.Match[str]) -> str:
        name = next(group for group in match.groups() if group)
        return self._build(name).path if name in self._sources else match.group()
