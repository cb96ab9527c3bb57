"""How long the views of a history take, and what a run costs that is written to it.

``python -m benchmarks.history build PLACE [ROWS]`` writes results of 1,000 checks over 90 days, 10 million by default;
``python -m benchmarks.history measure PLACE`` asks every view about them, and ``python -m benchmarks.history commands
PLACE`` times whole commands, from their start to their end. PLACE is a file or a PostgreSQL URL.
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from postdeploy.domain.result import Outcome
from postdeploy.domain.retention import Retention
from postdeploy.history.buckets import bucket_of
from postdeploy.history.database import Database, open_database
from postdeploy.history.facts import CheckMemory, RunMemory
from postdeploy.history.place import Place, parse_place
from postdeploy.history.writing import write_run

__all__ = ["CHECKS", "TARGET", "build", "commands", "measure", "views"]

CHECKS: Final = 1000
TARGET: Final = "production"

_DAYS: Final = 90
_DAY: Final = 86400.0
_PATTERNS: Final = 40
_KEEP: Final = Retention(results=400, sums=800)


def build(place: Place, rows: int, now: float) -> None:
    """Write so many results, up to ``now`` (seconds since the epoch), in portions that repeat; sums follow."""
    database = open_database(place, create=True, patience=600)
    chance, count = random.Random(7), rows // CHECKS
    write_run(database, _run(0, now - (_DAYS + 1) * _DAY, chance), _KEEP, now=now)
    with database.writing():
        _write_patterns(database, chance)
        runs = [
            (number, now - _DAYS * _DAY * (1 - number / count), number % _PATTERNS) for number in range(2, count + 2)
        ]
        database.execute_many(_RUNS, [_row(*run) for run in runs])
        for number, _, pattern in runs:
            database.execute(_RESULTS, number=number, pattern=pattern)
        for statement in _SUMS:
            database.execute(statement)
        database.execute("DROP TABLE pattern")
        if place.url is not None:
            database.execute("SELECT setval(pg_get_serial_sequence('runs', 'run_no'), (SELECT MAX(run_no) FROM runs))")
    database.execute("ANALYZE")
    database.close()


def _write_patterns(database: Database, chance: random.Random) -> None:
    database.execute(
        "CREATE TABLE pattern (pattern INTEGER, check_no BIGINT, outcome TEXT, flaky SMALLINT, duration BIGINT,"
        " bucket INTEGER)"
    )
    for pattern in range(_PATTERNS):
        rows = [
            {
                "pattern": pattern, "check": check, "outcome": "failed" if pattern == 1 and check == 7 else "passed",
                "flaky": int(chance.random() < 0.001), "duration": round(1e6 * seconds), "bucket": bucket_of(seconds),
            }
            for check in range(1, CHECKS + 1)
            for seconds in (0.05 * (1 + check % 7) * chance.lognormvariate(0, 0.3),)
        ]  # fmt: skip
        database.execute_many(
            "INSERT INTO pattern VALUES (:pattern, :check, :outcome, :flaky, :duration, :bucket)", rows
        )


def _row(number: int, started: float, pattern: int) -> dict[str, object]:
    bad = pattern == 1
    return {
        "number": number, "id": f"run-{number}", "started": int(1000 * started), "finished": int(1000 * started) + 5000,
        "verdict": "fail" if bad else "pass", "release": f"r{number // 250}", "flaky": 1, "planned": CHECKS,
        "passed": CHECKS - bad, "failed": int(bad),
    }  # fmt: skip


_RUNS: Final = (
    "INSERT INTO runs (run_no, run_id, target_no, mode, started, finished, verdict, reason, action, summary, release,"
    " observed, policy, tool, complete, planned, passed, failed, errored, skipped, blocked, not_run, flaky) VALUES"
    " (:number, :id, 1, 'monitor', :started, :finished, :verdict, 'all_required_passed', 'hold', 'as it was', :release,"
    " '{}', 'sha256:aa', '0.1.0', 1, :planned, :passed, :failed, 0, 0, 0, 0, :flaky)"
)
_RESULTS: Final = (
    "INSERT INTO results SELECT :number, check_no, outcome, flaky, 1 + flaky, duration, NULL, 1000, NULL,"
    " duration - 1000, NULL FROM pattern WHERE pattern = :pattern ORDER BY check_no"
)
_OF_DAYS: Final = (
    "FROM pattern p JOIN (SELECT run_no % 40 AS pattern, started / 86400000 AS day, COUNT(*) AS n"
    " FROM runs WHERE run_no > 1 GROUP BY 1, 2) r ON r.pattern = p.pattern"
)
_SUMS: Final = (
    (
        "INSERT INTO check_days SELECT p.check_no, r.day, SUM(CASE WHEN p.outcome = 'passed' THEN n ELSE 0 END),"
        " SUM(CASE WHEN p.outcome = 'failed' THEN n ELSE 0 END), 0, 0, 0, 0, SUM(p.flaky * n)"
        f" {_OF_DAYS} GROUP BY p.check_no, r.day"
    ),
    (
        f"INSERT INTO check_latencies SELECT p.check_no, r.day, p.bucket, SUM(n) {_OF_DAYS}"
        " WHERE p.outcome = 'passed' AND p.flaky = 0 GROUP BY p.check_no, r.day, p.bucket"
    ),
    (
        "INSERT INTO target_latencies SELECT 1, day, bucket, SUM(samples) FROM check_latencies WHERE day >"
        " (SELECT MIN(day) FROM check_latencies) GROUP BY day, bucket"
    ),
    (
        "INSERT INTO target_hours SELECT 1, started / 3600000, SUM(CASE WHEN verdict = 'pass' THEN 1 ELSE 0 END),"
        " SUM(CASE WHEN verdict = 'fail' THEN 1 ELSE 0 END), 0 FROM runs WHERE run_no > 1 GROUP BY started / 3600000"
    ),
)
"""What writing the runs one by one would have summed up."""


def views(database: Database, now: float) -> Iterator[tuple[str, Callable[[], object]]]:
    """What people and runs ask, by name."""
    from postdeploy.history.flakes import find_flakes
    from postdeploy.history.reading import last_runs, verdicts_since
    from postdeploy.history.recall import recall_baseline, recall_past
    from postdeploy.history.slo import objective_of
    from postdeploy.history.status import gather_status
    from postdeploy.history.sums import check_sums, hour_sums

    day, hour, ms = int(now // _DAY), int(now // 3600), int(1000 * now)
    yield "history", lambda: last_runs(database, TARGET, 100)
    yield "flakes", lambda: find_flakes(check_sums(database, TARGET, day - 30), now)
    yield (
        "slo",
        lambda: objective_of(
            TARGET, 0.999, 30, hour_sums(database, TARGET, hour - 720),
            verdicts_since(database, TARGET, ms - 3 * 86_400_000), ms,
        ),
    )  # fmt: skip
    yield "status page, its facts", lambda: gather_status(database, TARGET, now)
    yield "baseline of a run", lambda: recall_baseline(database, TARGET, "the next one", "")
    yield "past of a run", lambda: recall_past(database, TARGET, "")


def measure(place: Place, now: float, times: int = 5) -> dict[str, float]:
    """Seconds of each view, the median of some times, and of writing one run."""
    database = open_database(place, patience=60)
    found = {name: median(_seconds(view) for _ in range(times)) for name, view in views(database, now)}
    begin = time.time_ns()  # a new name for each run that is written
    runs = [_run(begin + number, now, random.Random(number)) for number in range(times)]
    found["writing a run of 1,000 checks"] = median(
        _seconds(lambda run=run: write_run(database, run, _KEEP, now=now))  # type: ignore[misc]
        for run in runs
    )
    database.close()
    return found


_COMMANDS: Final = (
    ("history", "list", TARGET, "--last", "100"),
    ("flakes", TARGET),
    ("slo", TARGET),
    ("status", TARGET),
)


def commands(named: str, times: int = 5) -> dict[str, float]:
    """Seconds of each command as people type it, and of its processor time, the medians of some times."""
    program = str(Path(sys.executable).with_name("postdeploy"))
    found = {}
    with TemporaryDirectory() as folder:
        for words in _COMMANDS:
            more = ("--out", folder) if words[0] == "status" else ()
            runs = [_run_command([program, *words, *more, "--history", named]) for _ in range(times)]
            found[" ".join(words)] = median(wall for wall, _ in runs)
            found[f"{' '.join(words)}, processor time"] = median(cpu for _, cpu in runs)
    return found


def _run_command(command: list[str]) -> tuple[float, float]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    wall = _seconds(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _run(number: int, started: float, chance: random.Random) -> RunMemory:
    failing = {chance.randrange(CHECKS)} if chance.random() < 0.01 else set()
    checks = tuple(_check(index, index in failing, chance) for index in range(CHECKS))
    release = f"r{number // 250 % 1000}"
    return RunMemory(
        f"run-{number}", TARGET, "monitor", started, started + 5, "fail" if failing else "pass",
        "confirmed_failure" if failing else "all_required_passed", "hold" if failing else "promote", "as it was",
        None, release, {"web": release}, "sha256:" + "a" * 64, "sha256:" + "b" * 64, "0.1.0", None, True, checks,
    )  # fmt: skip


def _check(index: int, failing: bool, chance: random.Random) -> CheckMemory:
    duration = 0.05 * (1 + index % 7) * chance.lognormvariate(0, 0.3)
    return CheckMemory(
        f"suites/api-{index // 50}.yaml::check {index}", f"check {index}", "api", "critical",
        Outcome.FAILED if failing else Outcome.PASSED, "team", chance.random() < 0.001, 1, duration,
        {"connect": 0.001, "first_byte": duration - 0.001}, "status: expected 200, got 503" if failing else None,
    )  # fmt: skip


def _main(words: list[str]) -> None:
    action, named, *rest = words
    place = parse_place(named, Path.cwd())
    if action == "build":
        build(place, int(rest[0]) if rest else 10_000_000, time.time())
        return
    measured = commands(named) if action == "commands" else measure(place, time.time())
    for name, seconds in measured.items():
        print(f"{name}: {1000 * seconds:.0f} ms")


if __name__ == "__main__":
    _main(sys.argv[1:])
