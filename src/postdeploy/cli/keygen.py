"""``postdeploy keygen``: a pair of Ed25519 keys, one to sign verdicts with and one to check the signature."""

from __future__ import annotations

import argparse
import os
import sys
from errno import EEXIST
from typing import Any

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("keygen", help="make a pair of keys to sign verdicts with, and to check them")
    parser.add_argument(
        "--out", default="verdict-signing", metavar="NAME", help="write NAME.key and NAME.pub (default: %(default)s)"
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from postdeploy.errors import SignatureError
    from postdeploy.signing import new_key

    try:
        key = new_key()
        public = key.public()
        _require_new(f"{arguments.out}.key", f"{arguments.out}.pub")
        _write(f"{arguments.out}.key", key.pem(), 0o600)
        _write(f"{arguments.out}.pub", public.pem(), 0o644)
    except FileExistsError as error:
        print(f"postdeploy: {error.filename} is there already; name another pair with --out", file=sys.stderr)
        return 1
    except (SignatureError, OSError) as error:
        print(f"postdeploy: {error}", file=sys.stderr)
        return 1
    print(f"{arguments.out}.key  for 'postdeploy verify --sign-key'; keep it secret")
    print(f"{arguments.out}.pub  for 'postdeploy gate --public-key'; key {public.id}")
    return 0


def _require_new(*paths: str) -> None:
    """Half a pair is not written, either. Raises FileExistsError."""
    for path in paths:
        if os.path.lexists(path):
            raise FileExistsError(EEXIST, os.strerror(EEXIST), path)


def _write(path: str, content: bytes, mode: int) -> None:
    """A new file; an older key is never overwritten."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
