from __future__ import annotations

from pathlib import Path

from postdeploy.config import problems

TARGETS = """\
targets:
  staging:
    services: {web: http://web.test, api: http://api.test}
    secrets: {token: "${TOKEN}"}
  production:
    services: {web: http://web.test}
"""


def write(root: Path, **texts: str) -> list[Path]:
    """Write files and give their paths; the first one is targets.yaml."""
    paths = [root / f"{name}.yaml" for name in texts]
    for path, text in zip(paths, texts.values(), strict=True):
        path.write_text(text)
    return paths


def found(root: Path, paths: list[Path], **environment: str) -> list[str]:
    """What is wrong, a line each."""
    return [str(problem) for problem in problems(paths[0], paths[1:], root, environment)]


def test_nothing_is_wrong(tmp_path: Path) -> None:
    """Variables that are not set are no problem: nobody has the secrets of all targets."""
    suite = "checks: [{name: a, get: web:/, expect: {status: 200}}]"
    assert found(tmp_path, write(tmp_path, targets=TARGETS, a=suite)) == []


def test_a_suite_is_judged_for_every_target_it_may_run_on(tmp_path: Path) -> None:
    """A service or a secret that only one target has needs a 'when'."""
    suite = """\
checks:
  - {name: a, get: api:/, auth: "bearer ${secrets.token}", expect: {status: 200}}
  - {name: b, get: api:/, auth: "bearer ${secrets.token}", expect: {status: 200}, when: staging}
  - {name: c, get: api:/, expect: {status: 200}, when: {not: production}}
  - {name: d, get: apo:/, expect: {status: 200}}
"""
    assert found(tmp_path, write(tmp_path, targets=TARGETS, a=suite)) == [
        "a.yaml:2:20: 'get' names the service 'api', which target 'production' does not have (known: web)",
        (
            "a.yaml:2:33: '${secrets.token}' names a secret that target 'production' does not have"
            " (name it under 'secrets' in targets.yaml, or limit the check with 'when')"
        ),
        "a.yaml:5:20: 'get' names the service 'apo', which target 'production' does not have (known: web)",
        "a.yaml:5:20: 'get' names the service 'apo', which target 'staging' does not have (did you mean 'api'?)",
    ]


def test_everything_comes_at_once_and_once(tmp_path: Path) -> None:
    """All files, all targets; a mistake that does not depend on the target is told once."""
    targets = TARGETS.replace("api: http", "api: htp") + "    acess: x\n"
    suites = {
        "b": "checks: [{name: a, tls: web}]",
        "a": "checks: [{name: a, tls: web, when: qa, expect: {trusted: 1}}]",
    }
    lines = found(tmp_path, write(tmp_path, targets=targets, **suites))
    assert [line.split(": ")[0] for line in lines] == [
        "a.yaml:1:36",
        "a.yaml:1:58",
        "b.yaml:1:10",
        "targets.yaml:3:43",
        "targets.yaml:7:5",
    ]


def test_ids_are_unique_over_all_files(tmp_path: Path) -> None:
    """A duplicate is told once, however many targets there are."""
    suite = "checks: [{name: a, id: x, tls: web, expect: {trusted: true}}]"
    assert found(tmp_path, write(tmp_path, targets=TARGETS, a=suite, b=suite)) == [
        "b.yaml:1:10: duplicate check 'x' (first at a.yaml:1:10; give it another name, or an 'id')"
    ]


def test_suites_are_judged_without_targets_too(tmp_path: Path) -> None:
    """A targets.yaml that cannot be read hides nothing that is wrong elsewhere."""
    suite = "checks: [{name: a, get: any:/, expct: {status: 200}}]"
    assert found(tmp_path, write(tmp_path, targets="targets: [\n", a=suite)) == [
        "a.yaml:1:32: unknown key 'expct' (did you mean 'expect'?)",
        "targets.yaml:2:1: not YAML: while parsing a flow node: did not find expected node content",
    ]


def test_suites_that_cannot_be_read(tmp_path: Path) -> None:
    """They are told by name; the others are judged all the same."""
    paths = write(tmp_path, targets=TARGETS, a="checks: [\n")
    assert found(tmp_path, [*paths, tmp_path / "none.yaml"]) == [
        "a.yaml:2:1: not YAML: while parsing a flow node: did not find expected node content",
        "none.yaml: no such file",
    ]


def test_variables_that_are_set_are_judged(tmp_path: Path) -> None:
    """With a value at hand, what it makes of a target is looked at."""
    targets = "targets: {a: {services: {web: 'http://${HOST}'}}}"
    assert found(tmp_path, write(tmp_path, targets=targets), HOST="a b")[0].startswith(
        "targets.yaml:1:31: 'web' names a host"
    )
