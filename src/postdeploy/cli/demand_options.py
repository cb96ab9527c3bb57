"""What a pipeline demands of a verdict, as options that ``gate`` and ``serve`` share."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from postdeploy.cli.duration import duration

if TYPE_CHECKING:
    from postdeploy.demand import Demand
    from postdeploy.signing import PublicKey

__all__ = ["add_demand", "add_keys", "demand_of", "keys_of"]


def add_demand(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """The options; ``--run-id`` is added by those that have it."""
    add = parser.add_argument
    add("--target", required=required, metavar="NAME", help="the target that the verdict must be about")
    add("--release", metavar="ID", help="the release that it must be about, as it was given to verify")
    add("--max-age", default="15m", metavar="TIME", type=duration, help="default: %(default)s")
    add("--verdict", default="reports/verdict.json", metavar="FILE", help="default: %(default)s")
    add("--url", action="append", default=[], type=_service, metavar="NAME=URL", help="where a service must have been")
    add("--config-digest", metavar="DIGEST", help="target.config.digest that the verdict must have")
    add("--suite-digest", metavar="DIGEST", help="suite.digest that the verdict must have")
    add_keys(parser)


def add_keys(parser: argparse.ArgumentParser) -> None:
    """``--public-key``, any number of times."""
    words = "a file, or env:NAME; one must have signed it"
    parser.add_argument("--public-key", action="append", default=[], metavar="KEY", help=words)


def demand_of(arguments: argparse.Namespace, **changes: Any) -> Demand:
    """What was demanded, now. Raises SignatureError for a key that is none."""
    from postdeploy.demand import Demand

    demanded = {
        "urls": dict(arguments.url),
        "config": arguments.config_digest,
        "suite": arguments.suite_digest,
        "keys": keys_of(arguments.public_key),
    }
    about = (arguments.target, arguments.release or None, arguments.run_id, arguments.max_age)
    return Demand(*about, now=time.time(), **demanded | changes)


def keys_of(places: Sequence[str]) -> tuple[PublicKey, ...]:
    """What keys are read with is imported only where there are any. Raises SignatureError."""
    if not places:
        return ()
    from postdeploy.signing import PublicKey, read_key

    return tuple(PublicKey.from_pem(read_key(place, os.environ)) for place in places)


def _service(text: str) -> tuple[str, str]:
    name, sign, url = text.partition("=")
    if not (name and sign and url):
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=URL, such as web=https://example.com")
    return name, url
