from __future__ import annotations

import base64
import gzip
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from postdeploy.domain.redaction import Redactor, Secret
from postdeploy.domain.secret import parts
from postdeploy.exporters import FORMATS
from postdeploy.guard.leaks import Traces, find_leaks
from postdeploy.guard.sieve import Sieve
from postdeploy.reports import write_reports
from tests.faults.encodings import ENCODINGS, SECRETS, twin
from tests.faults.expected import hold, promote, rollback
from tests.faults.project import Project, Run
from tests.faults.server import Answer, FaultServer

PLUGINS = ("postdeploy.plugin.hooks", "pytest_timeout", "pytest_rerunfailures", "allure_pytest.plugin")
TOKEN = "issued-at-run-time-4711-xyz"
SEGMENT = re.compile(rb"<<(\w+)/([^/]+)/([^>]+)>>(.*?)<<end>>", re.DOTALL)

CHANNELS = """
    import base64, gzip, io, json, logging, pathlib, sys, warnings, zipfile

    import allure

    PLANTED = json.loads(pathlib.Path("planted.json").read_text())
    TEXT, DATA = PLANTED["text"], base64.b64decode(PLANTED["data"])
    REPORTS = pathlib.Path("reports")

    def zipped():
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("trace.trace", DATA)
        return packed.getvalue()

    def test_stdout():
        print(TEXT)
        assert False

    def test_stderr():
        sys.stderr.write(TEXT)
        assert False

    def test_live(capsys):
        with capsys.disabled():
            for start in range(0, len(TEXT), 7):
                sys.stdout.write(TEXT[start : start + 7])
            print()

    def test_log():
        logging.getLogger().error("%s", TEXT)
        assert False

    def test_message():
        raise AssertionError(TEXT)

    def test_exception():
        raise ValueError(TEXT)

    def test_skip():
        pytest.skip(TEXT)

    def test_warning():
        warnings.warn(TEXT)

    def test_property(record_property):
        record_property("planted", TEXT)

    def test_attachment():
        allure.attach(TEXT, name="text", attachment_type=allure.attachment_type.TEXT)
        allure.attach(DATA, name="data")

    def test_step():
        with allure.step(TEXT):
            pass

    def test_text_file():
        (REPORTS / "notes.txt").write_bytes(DATA)

    def test_gzip_file():
        (REPORTS / "log.gz").write_bytes(gzip.compress(DATA))

    def test_trace():
        (REPORTS / "trace.zip").write_bytes(zipped())

    def test_page():
        page = b"<a href='data:application/zip;base64," + base64.b64encode(zipped()) + b"'>trace</a>"
        (REPORTS / "page.html").write_bytes(page)

    def test_har():
        text = base64.b64encode(DATA).decode()
        content = {"log": {"entries": [{"response": {"content": {"text": text, "encoding": "base64"}}}]}}
        (REPORTS / "page.har").write_text(json.dumps(content))

    @pytest.mark.parametrize("value", [PLANTED["secret"]])
    def test_parameter(value):
        assert value == ""

    def test_login(api, secrets):
        token = api.post("/login").json()["token"]
        secrets.learn("found", "a-value-" + "that-a-test-found")
        print(token, "a-value-that-a-test-found")
        pathlib.Path("reports", "token.txt").write_text(token)
        assert token == ""
"""


def planted() -> dict[str, str]:
    """What every channel emits: each secret and its twin in each encoding, and what holds bytes beside."""
    text, data = [], []
    for name, secret in SECRETS.items():
        for encoding, encode in ENCODINGS.items():
            for kind, value in (("secret", secret), ("twin", twin(secret))):
                written = encode(value)
                head, end = f"<<{kind}/{name}/{encoding}>>", "<<end>>\n"
                if isinstance(written, str):
                    text.append(head + written + end)
                    written = written.encode()
                data.append(head.encode() + written + end.encode())
    return {
        "text": "".join(text),
        "data": base64.b64encode(b"".join(data)).decode(),
        "secret": SECRETS["ascii"],
    }


TWINS = {name: Traces((name, part) for part in parts(twin(secret))) for name, secret in SECRETS.items()}
WHOLE = Traces((name, part) for name, secret in SECRETS.items() for part in parts(secret))
LEARNT = Traces([("token", TOKEN), ("found", "a-value-that-a-test-found")])


def found_twins(data: bytes) -> set[tuple[str, str]]:
    """The twins that are still there, by secret and encoding."""
    return {
        (match[2].decode(), match[3].decode())
        for match in SEGMENT.finditer(data)
        if match[1] == b"twin" and match[2].decode() in TWINS and TWINS[match[2].decode()].within(match[4])
    }


def sinks(run: Run) -> Iterator[tuple[str, bytes, bool]]:
    """Where each channel ends, unpacked; and whether it carries bytes."""
    out = run.out
    for name in ("stdout", "stderr", "log", "message", "exception"):
        begin = out.index(f" test_{name} ____")
        following = out.find(" ____", begin + 30)
        yield name, out[begin : following if following > 0 else None].encode(), False
    yield "live", out.encode(), False
    yield "warning", out[out.index("warnings summary") :].encode(), False
    junit = (run.folder / "reports" / "pytest.xml").read_text(encoding="utf-8")
    yield "skip", marked(junit[junit.index("<skipped") :]), False
    yield "property", marked(junit[junit.index('name="planted"') :]), False
    allure = run.folder / "allure"
    attached = sorted((path.read_bytes() for path in allure.glob("*-attachment*")), key=len)
    yield "attachment", next(data for data in attached if b"twin/ascii/UTF-16>>" in data), True
    steps = b"".join(path.read_bytes() for path in allure.glob("*-result.json") if b'"steps"' in path.read_bytes())
    yield "step", steps, False
    reports = run.folder / "reports"
    yield "text file", (reports / "notes.txt").read_bytes(), True
    yield "gzip file", gzip.decompress((reports / "log.gz").read_bytes()), True
    yield "trace", unzipped((reports / "trace.zip").read_bytes()), True
    page = re.search(rb"base64,([^']+)", (reports / "page.html").read_bytes())
    assert page is not None
    yield "page", unzipped(base64.b64decode(page[1])), True
    har = json.loads((reports / "page.har").read_bytes())
    yield "HAR", base64.b64decode(har["log"]["entries"][0]["response"]["content"]["text"]), True


def marked(text: str) -> bytes:
    """XML with the marks of segments as they were."""
    return text.replace("&lt;&lt;", "<<").replace("&gt;&gt;", ">>").encode()


def unzipped(data: bytes) -> bytes:
    """The one entry of an archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read("trace.trace")


@pytest.mark.row("K01", "12 secrets, 22 encodings, 16 channels, with twins that differ by a bit")
def test_no_secret_leaves_by_any_channel_in_any_encoding(project: Project, server: FaultServer) -> None:
    """Every secret is masked and every twin is there: the masking hits all of them, and the look misses none."""
    server.on("/login", Answer(body=json.dumps({"token": TOKEN}).encode()))
    project.write("planted.json", json.dumps(planted()))
    lines = [f'  {name}: "${{K_{name.upper()}}}"' for name in SECRETS]
    project.target("\n".join(["secrets:", *lines]) + "\n")
    project.suite("""
        - name: declared
          post: api:/bad/${secrets.ascii}
          auth: bearer ${secrets.jwt}
          json: {key: "${secrets.json}"}
          expect: {status: 200}
        - {name: login, post: "api:/login", expect: {status: 200, json: {$.token: none}}}
    """)
    project.tests(CHANNELS)
    environment = {f"K_{name.upper()}": value for name, value in SECRETS.items()} | {"CI": "1"}
    options = ("-vv", "-rA", "--showlocals", "--alluredir=allure", "--junitxml=reports/pytest.xml", "--report=all")
    run = project.run(*options, "--reruns=0", env=environment, plugins=PLUGINS)
    run.require(rollback())
    places = [project.reports, project.folder / "allure"]
    assert list(find_leaks(places, WHOLE)) == []
    assert list(find_leaks(places, LEARNT)) == []
    assert WHOLE.within(run.out.encode()) == set()
    assert LEARNT.within(run.out.encode()) == set()
    everything = {(name, encoding) for name in SECRETS for encoding in ENCODINGS}
    texts = {(name, encoding) for name, encoding in everything if isinstance(ENCODINGS[encoding]("x"), str)}
    for channel, data, carries_bytes in sinks(run):
        lost = (everything if carries_bytes else texts) - found_twins(data)
        assert lost == set(), channel


def spread(document: dict[str, Any]) -> dict[str, Any]:
    """The verdict with a failed check for each secret and some encodings, as if no masking had been before."""
    check = next(check for check in document["checks"] if check["outcome"] == "failed")
    checks: list[dict[str, Any]] = []
    for name, value in SECRETS.items():
        for encoding in ("raw", "URL", "JSON in ASCII", "XML", "hex", "base64"):
            one = json.loads(json.dumps(check)) | {"id": f"c{len(checks)}", "name": f"{name} {encoding}"}
            spelt = " ".join(map(str, map(ENCODINGS[encoding], (value, twin(value)))))
            for attempt in one["attempts"]:
                attempt["findings"][0]["observed"] = spelt
            checks.append(one)
    return document | {"checks": checks, "summary": "".join(map(str, SECRETS.values()))}


def shown(path: Path) -> set[str]:
    """The secrets whose twins are in a report, a file or a folder."""
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    data = b"\n".join(each.read_bytes() for each in files)
    return {name for name, traces in TWINS.items() if traces.within(data)}


@pytest.mark.row("K01", "reports of every format, written after the verdict")
def test_no_secret_leaves_by_a_report_of_any_format(alone: Project) -> None:
    """Each passes the same sieve: with a verdict that is masked, and with one that nobody has masked."""
    alone.target()
    alone.suite("- {name: bad, get: 'api:/bad', expect: {status: 200}}")
    document = spread(alone.run().document)
    redactor = Redactor(Secret(name, value) for name, value in SECRETS.items())
    places = {name: alone.reports / name for name in ("masked", "unmasked", "bare")}
    told: Any = redactor.tree(document)
    masked = list(write_reports(told, FORMATS, alone.reports, places["masked"], Sieve(redactor)))
    unmasked = list(write_reports(document, FORMATS, alone.reports, places["unmasked"], Sieve(redactor)))
    bare = list(write_reports(document, FORMATS, alone.reports, places["bare"]))
    assert {report.name: report.problem for report in (*masked, *bare)} == dict.fromkeys(FORMATS)
    assert list(find_leaks([places["masked"], places["unmasked"]], WHOLE)) == []
    leaky = {leak.path.name for leak in find_leaks([places["bare"]], WHOLE)}
    assert leaky >= {FORMATS[name] for name in ("html", "markdown", "junit", "ctrf", "annotations")}
    refused = {report.name for report in unmasked if report.problem}
    assert all("SecretLeftError" in str(report.problem) for report in unmasked if report.name in refused)
    for report in bare:
        before = shown(Path(report.path))
        assert shown(places["masked"] / Path(report.path).name) == before, report.name
        assert report.name not in {"html", "junit", "ctrf", "allure", "otlp"} or before == set(SECRETS), report.name


@pytest.mark.row("K01", "a report that the masking cannot clean")
def test_a_report_with_a_secret_is_not_written(alone: Project) -> None:
    """It is refused and told, its file is not there, and the others and the verdict are as they were."""
    alone.target('secrets: {token: "${TOKEN}"}\n')
    alone.healthy()
    alone.conftest("""
        import os

        import postdeploy.exporters.ctrf

        def render(document, read):
            return os.environ["TOKEN"].replace("-", "%25252D").encode()

        postdeploy.exporters.ctrf.render = render
    """)
    run = alone.run("--report=all", env={"TOKEN": SECRETS["ascii"]})
    run.require(promote())
    assert "the ctrf report could not be written: SecretLeftError: it holds token after masking" in run.out
    assert not (alone.reports / "ctrf.json").exists()
    assert (alone.reports / "junit.xml").exists()
    assert SECRETS["ascii"] not in run.out


@pytest.mark.row("K01", "a secret where no masking reaches it")
def test_what_cannot_be_masked_is_moved_aside(project: Project) -> None:
    """A file that still holds a secret, or that cannot be looked into, makes the verdict inconclusive."""
    project.target('secrets: {token: "${TOKEN}"}\n')
    project.healthy()
    project.tests(
        """
        import io, pathlib, zipfile

        def test_locked(api):
            assert api.get("/ok").status_code == 200
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w") as archive:
                archive.writestr("a", "x" * 100)
            data = bytearray(packed.getvalue())
            data[6] |= 1
            data[data.index(b"PK\\1\\2") + 8] |= 1
            pathlib.Path("reports", "locked.zip").write_bytes(data)
        """,
        "test_locked.py",
    )
    run = project.run(env={"TOKEN": SECRETS["ascii"]})
    run.require(hold("safety_violation"))
    assert "locked.zip" in run.document["summary"]
    assert not (project.reports / "locked.zip").exists()
    (kept,) = (project.folder / ".postdeploy-quarantine").glob("*locked.zip")
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.row("K01", "workers are given secrets by their environment")
def test_secrets_of_a_command_reach_workers_by_environment(tmp_path: Path, project: Project) -> None:
    """A command runs once a run; its value is neither in an argument of a process nor in what workers are told."""
    project.write("give.sh", f"echo x >> {tmp_path}/calls\necho {SECRETS['ascii']}\n")
    project.target('secrets: {token: "${cmd:sh give.sh}"}\n')
    project.suite()
    project.tests(f"""
        import pathlib

        @pytest.mark.parametrize("number", range(4))
        def test_it(api, secrets, number, request):
            assert secrets["token"].reveal() == {SECRETS["ascii"]!r}
            assert api.get("/ok").status_code == 200
            told = str(getattr(request.config, "workerinput", ""))
            lines = [path.read_bytes() for path in pathlib.Path("/proc").glob("[0-9]*/cmdline")]
            assert secrets["token"].reveal() not in told + repr(lines)
    """)
    run = project.run()
    assert run.status == 0, run.out
    assert (tmp_path / "calls").read_text() == "x\n"
