"""``postdeploy vantages``: the same run from several places by workers of dask, and one verdict by a quorum."""

from __future__ import annotations

import argparse
import os
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from postdeploy.cli.duration import duration
from postdeploy.cli.merge import new_run_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from postdeploy.domain.policy import Policy
    from postdeploy.history.place import Place
    from postdeploy.vantages.cluster import Certificates
    from postdeploy.vantages.gathering import Limits
    from postdeploy.vantages.run import Errand

__all__ = ["add"]

_USAGE: Final = 4
_HOLD: Final = 10
_GRACE: Final = 60.0
"""Seconds that a vantage has beyond the deadline of its run: to get the project, to start, to send its evidence."""

_MOST_SENT: Final = 16 * 1024 * 1024
_MOST_BACK: Final = 64 * 1024 * 1024
_UNFIT: Final = frozenset({"vantage", "shard", "shard-by"})
"""Options of a run that each vantage has of its own, or cannot have: what it makes is a whole run."""

_OF_THE_WHOLE: Final = frozenset({"baseline", "history", "monitor", "report", "otlp-endpoint"})
"""Options that are about the run of all vantages: nobody is told, and nothing is remembered, of each."""


def add(commands: Any) -> None:
    """Add the command."""
    from postdeploy.run_options import RUN_OPTIONS

    parser = commands.add_parser("vantages", help="verify a target from several places, by workers of dask")
    add = parser.add_argument
    add("target", metavar="TARGET", help="a target of targets.yaml")
    add("--scheduler", required=True, metavar="URL", help="of dask, such as tls://scheduler.internal:8786")
    add("--vantage", metavar="NAMES", help="such as eu,us,ap, where the policy of the target names none")
    for option in RUN_OPTIONS:
        if option.name not in _UNFIT:
            parser.add_argument(f"--{option.name}", **option.keywords)
    add("--reports", default="reports", metavar="DIR", help="default: %(default)s")
    add("--run-id", metavar="ID", help="the name of the whole run (default: a new one)")
    add("--wall-clock", type=duration, metavar="TIME", help=f"of each vantage (default: deadline + {_GRACE:g} s)")
    add("--wait", type=duration, default="30s", metavar="TIME", help="for workers to come (default: %(default)s)")
    add("--silence", type=duration, default="20s", metavar="TIME", help="after which a worker is lost (%(default)s)")
    add("--ship", action="append", default=[], metavar="PATH", help="send this, too; may be repeated")
    add("--there", metavar="DIR", help="the project lies in this folder of every worker; send nothing")
    add("--tls-ca", metavar="FILE", help="the authority of the cluster's certificates")
    add("--tls-cert", metavar="FILE", help="our certificate")
    add("--tls-key", metavar="FILE", help="its key")
    add("--plain", action="store_true", help="allow a scheduler without TLS on another machine")
    add("--sign-key", metavar="KEY", help="sign the verdict with this key: a file, or env:NAME")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    reports, run_id = Path(arguments.reports), arguments.run_id or new_run_id()
    status = _launch(arguments, run_id, reports)
    if arguments.monitor:
        from postdeploy.cli.monitor import finish_monitoring

        finish_monitoring(arguments, run_id, str(reports))
    return status


def _launch(arguments: argparse.Namespace, run_id: str, reports: Path) -> int:
    from pathlib import Path

    from postdeploy.domain.mode import Mode
    from postdeploy.errors import ConfigurationError, HistoryError, PostdeployError, SignatureError, VantageError
    from postdeploy.vantages.cluster import check_address
    from postdeploy.vantages.gathering import Limits
    from postdeploy.vantages.run import withdraw

    run = _about_run(run_id, Mode.MONITOR if arguments.monitor else Mode.GATE)
    try:
        withdraw(reports, run, arguments.target, arguments.release or None)
        policy, errand = _errand(arguments, run, Path.cwd())
        limits = Limits(
            arguments.wall_clock or _deadline(arguments, policy) + _GRACE, arguments.wait, arguments.silence
        )
        place = _place(arguments)
        certificates = _certificates(arguments)
        check_address(arguments.scheduler, certificates, plain=arguments.plain)
        _require_key(arguments.sign_key)
    except PostdeployError as error:
        print(f"vantages: {error}", file=sys.stderr)
        mistakes = ConfigurationError | HistoryError | SignatureError | VantageError
        return _USAGE if isinstance(error, mistakes) else _HOLD
    try:
        return _verify(arguments, errand, limits, certificates, place)
    except PostdeployError as error:
        print(f"vantages: {error}", file=sys.stderr)
        return _HOLD


def _about_run(run_id: str, mode: str) -> dict[str, Any]:
    import platform

    from postdeploy import __version__
    from postdeploy.history.place import without_passwords

    tool = {"name": "pytest-postdeploy", "version": __version__, "python": platform.python_version()}
    return {"id": run_id, "mode": str(mode), "tool": tool, "argv": without_passwords(sys.argv[1:]), "pid": os.getpid()}


def _verify(
    arguments: argparse.Namespace,
    errand: Errand,
    limits: Limits,
    certificates: Certificates | None,
    place: Place | None,
) -> int:
    from pathlib import Path

    from postdeploy.cli.merge import sign
    from postdeploy.cli.verify import remember
    from postdeploy.demand import Demand
    from postdeploy.domain.verdict import exit_status
    from postdeploy.vantages.cluster import Cluster
    from postdeploy.vantages.run import verify_from

    reports = Path(arguments.reports)
    cluster = Cluster(arguments.scheduler, certificates, limits.wait)
    try:
        known = _recalled(arguments, place, errand)
        verdict = verify_from(known, cluster, limits, reports)
    finally:
        cluster.close()
    modes = (str(errand.run["mode"]),)
    demand = Demand(errand.target, errand.release, None, limits.wall_clock, time.time(), modes=modes)
    sign(reports, demand, str(errand.run["id"]), arguments.sign_key)
    _tell(reports)
    print(f"{verdict.conclusion}, {verdict.action}: {verdict.reason}: {verdict.summary}")
    _publish(arguments, reports)
    remember(arguments, str(reports))
    return int(exit_status(verdict))


def _tell(reports: Path) -> None:
    """A line for each vantage."""
    from postdeploy.documents import VERDICT_FILE, read_document

    for each in read_document(reports / VERDICT_FILE)["vantages"]:
        print(f"{each['name']:<12} {each['state']:<9} {each['verdict']:<13} {each['reason']}: {each['summary']}")


def _formats(arguments: argparse.Namespace) -> tuple[str, ...]:
    """The reports that were asked for. Raises VantageError for one that there is not."""
    from postdeploy.errors import VantageError
    from postdeploy.reports import parse_formats

    try:
        return parse_formats([*arguments.report, *["otlp"] * bool(arguments.otlp_endpoint)])
    except ValueError as error:
        raise VantageError(f"--report: {error}") from error


def _publish(arguments: argparse.Namespace, reports: Path) -> None:
    """Write the reports of the whole; one that cannot be written changes nothing."""
    from postdeploy.cli.report import reports_of
    from postdeploy.documents import VERDICT_FILE, read_document

    formats = _formats(arguments)
    if formats:
        document = read_document(reports / VERDICT_FILE)
        for report in reports_of(document, formats, reports, reports, arguments.otlp_endpoint):
            print(report.line, file=sys.stderr if report.problem else sys.stdout)


def _errand(arguments: argparse.Namespace, run: Mapping[str, Any], root: Path) -> tuple[Policy, Errand]:
    """What is to be done, and under which rules. Raises ConfigurationError or VantageError."""
    from pathlib import Path

    from postdeploy.config.targets import target_policy
    from postdeploy.run_options import RUN_OPTIONS
    from postdeploy.vantages.baseline import of_file
    from postdeploy.vantages.project_files import project_files
    from postdeploy.vantages.run import Errand

    targets = Path(arguments.targets or "targets.yaml")
    policy = target_policy(targets, arguments.target, os.environ)
    words = [
        word
        for option in RUN_OPTIONS
        if option.name not in _UNFIT | _OF_THE_WHOLE
        for word in option.words(getattr(arguments, option.attribute))
    ]
    release = arguments.release or None
    _formats(arguments)
    return policy, Errand(
        arguments.target,
        release,
        run,
        _names(arguments.vantage, policy),
        {"target": {"name": arguments.target}, "policy": policy.to_json(), "expected": release},
        words,
        {} if arguments.there else project_files(root, root / targets, arguments.ship, _MOST_SENT),
        arguments.there,
        _MOST_BACK,
        of_file(Path(arguments.baseline)) if arguments.baseline else None,
    )


def _require_key(place: str | None) -> None:
    """What would only be noticed when the verdict is signed. Raises SignatureError."""
    if place is not None:
        from postdeploy.signing import PrivateKey, read_key

        PrivateKey.from_pem(read_key(place, os.environ))


def _place(arguments: argparse.Namespace) -> Place | None:
    """Where the run is remembered. Raises ConfigurationError or HistoryError."""
    from postdeploy.cli.history_place import find_history

    found = find_history(arguments)
    return found[0] if found else None


def _recalled(arguments: argparse.Namespace, place: Place | None, errand: Errand) -> Errand:
    """The errand with what the history knows of the release before, where no file says it."""
    if place is None or arguments.monitor:
        return errand
    from postdeploy.cli.recall import recall_deploy
    from postdeploy.lazy_dataclass import replace
    from postdeploy.vantages.baseline import of_history

    known = recall_deploy(place, errand.target, errand.release, str(errand.run["id"]))
    return replace(errand, baseline=of_history(known)) if known and errand.baseline is None else errand


def _names(given: str | None, policy: Policy) -> tuple[str, ...]:
    from re import fullmatch

    from postdeploy.domain.policy import VANTAGE_NAME
    from postdeploy.errors import VantageError

    names = tuple(given.split(",")) if given else policy.vantages
    wrong = [name for name in names if not fullmatch(VANTAGE_NAME, name)]
    if wrong or not names or len(set(names)) != len(names):
        raise VantageError(f"--vantage takes names such as eu,us,ap, each once, not {given!r}")
    if policy.vantages and set(names) != set(policy.vantages):
        raise VantageError(f"the policy of the target says that the vantages are {', '.join(policy.vantages)}")
    if policy.quorum and policy.quorum.of != len(names):
        raise VantageError(f"the quorum is {policy.quorum}, and there are {len(names)} vantages")
    return names


def _certificates(arguments: argparse.Namespace) -> Certificates | None:
    from postdeploy.errors import VantageError
    from postdeploy.vantages.cluster import Certificates

    given = (arguments.tls_ca, arguments.tls_cert, arguments.tls_key)
    if not any(given):
        return None
    if not all(given):
        raise VantageError("--tls-ca, --tls-cert and --tls-key belong together")
    return Certificates(*given)


def _deadline(arguments: argparse.Namespace, policy: Policy) -> float:
    return duration(arguments.deadline) if arguments.deadline else policy.deadline
