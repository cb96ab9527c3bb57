"""P01 to P06: a run that is safe to point at production."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.vectors import Neighbourhood
from tests.faults.expected import Expected, hold, promote
from tests.faults.namespace import Namespace
from tests.faults.project import Project, clean_environment
from tests.faults.server import Answer, FaultServer, serve
from tests.faults.store import SUITE, TESTS, Store
from tests.plugin.test_seat_belt import BYPASSES
from tests.warm_python import Ended, warm_python

ROOT = Path(__file__).parents[2]
SECRET = "token-4f1c09d2"


@pytest.fixture
def store(server: FaultServer) -> Iterator[Store]:
    """A store behind the fault server."""
    one = Store(server)
    one.serve()
    yield one
    server.fallback = None


def _project(project: Project) -> None:
    project.target(f"secrets: {{token: {SECRET}}}\n")
    project.suite(SUITE)
    project.tests(TESTS)


def _sweep(project: Project) -> Ended:
    words = ("-m", "postdeploy", "sweep", "local")
    return warm_python().run(words, cwd=project.folder, env=clean_environment(), timeout=60)


def _end(group: int) -> None:
    """Kill the processes of a group, until none is left: only then the ledger is free."""
    end = time.monotonic() + 20
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < end:
            os.killpg(group, signal.SIGKILL)
            time.sleep(0.005)


def _read_only(project: Project, more: str = "", *, services: str = "", policy: str = "deadline: 1m") -> None:
    project.target(more, services=services, policy=policy)
    path = project.folder / "targets.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("access: read-write", "access: read-only", 1))


_WRITES = """
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_write(api, method):
    api.request(method, "/ok/write", json={})

def test_a_read_with_a_body(api):
    api.request("GET", "/ok/write", content=b"x")

def test_a_write_that_is_swallowed(api):
    assert api.get("/ok/read").status_code == 200
    try:
        api.post("/ok/write")
    except Exception:
        pass

@pytest.mark.writes
def test_that_says_that_it_writes(api):
    api.post("/ok/write")
"""
_DECLARED_WRITES = """
- {name: declared, get: 'api:/ok/declared', expect: {status: 200}}
- {name: writes, post: 'api:/ok/write', json: {}, expect: {status: 200}}
- name: cleans up
  steps: [{get: 'api:/ok/x', expect: {status: 200}}]
  finally: [{delete: 'api:/ok/write', expect: {status: 200}}]
"""


@pytest.mark.row("P01", "POST, PUT, PATCH, DELETE, GET with a body, swallowed or not, on a read-only target")
def test_nothing_is_written(project: Project, server: FaultServer) -> None:
    """The server's own log has no request that writes; what was refused is told, what says so is skipped."""
    _read_only(project)
    project.suite(_DECLARED_WRITES)
    project.tests(_WRITES)
    run = project.run()
    run.require(hold("required_check_not_proven"))
    assert {seen.method for seen in server.seen} == {"GET"}
    assert not [seen for seen in server.seen if seen.body]
    assert server.asked("/ok/write") == 0
    outcomes = run.outcomes()
    assert (outcomes["writes"], outcomes["cleans up"], outcomes["declared"]) == ("skipped", "skipped", "passed")
    assert outcomes["test_that_says_that_it_writes"] == "skipped"
    assert outcomes["test_a_write_that_is_swallowed"] == "errored"
    error = next(check for check in run.document["checks"] if check["name"] == "test_a_write[POST]")
    assert 'allow: ["POST api:/ok/write"]' in error["attempts"][0]["error"]


@contextlib.contextmanager
def demo(folder: Path) -> Iterator[tuple[str, Path]]:
    """The bundled demo, which says what it is asked: its address, and the file where it says so."""
    log = folder / "demo.log"
    with log.open("wb") as out:
        command = [sys.executable, "-u", "-m", "demo", "--port", "0", "--environment", "local"]
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + 30
            while not (found := re.search(r"listening on (http://\S+)", log.read_text("utf-8"))):
                assert time.monotonic() < deadline, log.read_text("utf-8")
                time.sleep(0.05)
            yield found[1], log
        finally:
            process.terminate()
            process.wait(10)


@pytest.mark.row("P01", "TalkStudio's own suites, pages and Python tests included, on a read-only target")
def test_the_whole_suite_writes_nothing(project: Project, tmp_path: Path) -> None:
    """By the log of the demo itself: hundreds of requests, and each of them only reads."""
    shutil.copytree(ROOT / "suites", project.folder / "suites")
    with demo(tmp_path) as (url, log):
        project.write(
            "targets.yaml",
            f"targets:\n  local:\n    services: {{web: {url}, api: {{url: {url}/api/v1, health: /healthz}}}}\n"
            "    secrets: {email: demo@talkstudio.com, password: demo-password, api_token: demo-api-token-0001}\n"
            "    access: read-only\n    policy: {deadline: 2m, confirm: {attempts: 2, spacing: 50ms}}\n"
            "  staging: {extends: local}\n  production: {extends: local}\n",
        )
        run = project.run()
        run.require(promote())
        asked = re.findall(r"^([A-Z]+) (/\S*) \d+ \d+ ms$", log.read_text("utf-8"), re.MULTILINE)
    outcomes = run.outcomes()
    assert {method for method, _ in asked} <= {"GET", "HEAD", "OPTIONS"}
    assert len(asked) > 40
    assert outcomes["test_messages_keep_their_order"] == "skipped"
    assert sum(outcome == "passed" for outcome in outcomes.values()) > 10
    assert outcomes["test_theme_switch_shows_in_the_preview[Discord]"] == "passed"


@pytest.mark.row("P02", "redirects 302 and 307 to another host, HTTP_PROXY, ALL_PROXY and .netrc")
def test_nothing_leaves_for_another_host(project: Project, server: FaultServer) -> None:
    """Its log is empty: no request, no key, no body; and the environment is nobody to listen to."""
    with serve("127.0.0.2") as evil:
        for status in (302, 307):
            server.on(f"/to/{status}", Answer(status, headers={"location": f"{evil.url}/caught"}))
        project.suite("""
            - {name: get, get: 'api:/to/302', follow: true, headers: {X-Api-Key: k}, expect: {status: 200}}
            - {name: post, post: 'api:/to/307', follow: true, body: password=p, expect: {status: 200}}
        """)
        project.tests("""
            @pytest.mark.parametrize("status", [302, 307])
            def test_client(api, status):
                api.post(f"/to/{status}", headers={"X-Api-Key": "k"}, content="password=p", follow_redirects=True)

            def test_plain(api):
                assert "authorization" not in api.get("/ok/plain").request.headers
        """)
        project.write(".netrc", "machine 127.0.0.1 login someone password secret\n")
        proxies = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"), evil.url)
        run = project.run(env=proxies | {"HOME": str(project.folder), "NETRC": str(project.folder / ".netrc")})
        run.require(hold("required_check_not_proven"))
        assert evil.seen == []
    assert run.outcomes()["test_plain"] == "passed"
    assert not [seen for seen in server.seen if "authorization" in seen.headers]


@pytest.fixture(scope="module")
def around() -> Iterator[Neighbourhood]:
    """A page that tries every way out, and a server that nobody may reach."""
    servers = Neighbourhood()
    yield servers
    servers.close()


@pytest.mark.row("P03", "27 vectors of a page, two of Playwright's client, WebRTC: from a declared check and a test")
def test_no_page_gets_out(project: Project, around: Neighbourhood) -> None:
    """No request, no connection, no packet; and nothing is written to the page's own host."""
    around.forget()
    _read_only(project, services=f", web: {around.home.url}")
    project.suite("- {name: page, page: 'web:/', expect: {title: vectors}}")
    project.tests(f"""
        def test_page(page, context):
            page.goto("/")
            page.wait_for_timeout(800)
            page.goto("/away")
            for send in (context.request.post, page.request.delete):
                with pytest.raises(Exception, match="third_party"):
                    send("{around.evil.url}/direct")
    """)
    run = project.run()
    run.require(Expected("pass", ("all_required_passed", "passed_with_warnings"), "promote", 0, 0))
    assert around.reached() == set()
    assert (around.evil.connections, around.packets) == (0, 0)
    assert around.written() == []


@pytest.mark.row("P04", "sockets, urllib, httpx2, asyncio, threads, processes, ctypes, pycurl, uvloop")
def test_what_goes_around_is_stopped(project: Project, server: FaultServer) -> None:
    """Each attempt is an incident, and none has reached the server."""
    _read_only(project, policy="deadline: 2m")
    project.suite()
    host, _, port = server.url.removeprefix("http://").partition(":")
    facts = f"HOST, PORT, URL = {host!r}, {port}, {server.url + '/caught'!r}\n"
    facts += "REQUEST = b'GET /caught HTTP/1.0\\r\\n\\r\\n'\n"
    mark = "@pytest.mark.check(repeatable=False)"
    tests = "".join(f"\n{mark}\ndef test_{name}():\n    {code}\n" for name, code in BYPASSES.items())
    project.write("suites/test_it.py", f"import pytest\n{facts}{tests}")
    run = project.run()
    run.require(hold("safety_violation"))
    assert server.asked("/caught") == 0
    who = [incident["message"].partition(" tried to")[0] for incident in run.document["incidents"]]
    assert {name.rpartition("::test_")[2] for name in who} == set(BYPASSES)


_UNSEEN = {
    "child": "import subprocess, sys\n"
    "    subprocess.run([sys.executable, '-c', f'import urllib.request as u; u.urlopen({URL!r})'])",
    "spawn": "import multiprocessing as m, urllib.request; c = m.get_context('spawn')\n"
    "    p = c.Process(target=urllib.request.urlopen, args=(URL,)); p.start(); p.join()",
}


@pytest.mark.row("P04", "processes that the hook cannot see, in a network namespace without a route but to the target")
def test_a_namespace_closes_what_is_left(alone: Project, root: None) -> None:
    """The documented recipe: the same code reaches the forbidden server without it, and does not with it."""
    with serve("0.0.0.0") as evil, Namespace("guard") as namespace:
        port = evil.url.rpartition(":")[2]
        _read_only(alone, "programs: [python, python3]\n", policy="deadline: 2m")
        tests = (f"\ndef test_{name}(evidence):\n    evidence('x')\n    {code}\n" for name, code in _UNSEEN.items())
        body = "".join(tests)
        alone.write("suites/test_it.py", f"URL = 'http://{namespace.outside}:{port}/caught'\n{body}")
        alone.suite()
        alone.run()
        assert evil.asked("/caught") > 0
        evil.reset()
        alone.ended(alone.start([*namespace.prefix, *alone.pytest()]))
        assert evil.asked("/caught") == 0


@pytest.mark.row("P05", "5 requests a second and 2 in flight, over declared checks and Python tests")
def test_the_budget_holds_over_all_processes(project: Project, server: FaultServer) -> None:
    """The server's own log says so, and the verdict says what was used."""
    project.target("budget: {per_second: 5, in_flight: 2, requests: 100}\n", policy="deadline: 1m")
    project.suite("\n".join(f"- {{name: d{n}, get: 'api:/slow/0.3/{n}', expect: {{status: 200}}}}" for n in range(8)))
    project.tests("""
        @pytest.mark.parametrize("number", range(8))
        def test_it(api, number):
            assert api.get(f"/slow/0.3/t{number}").status_code == 200
    """)
    run = project.run()
    run.require(promote())
    moments = sorted(seen.at for seen in server.seen)
    assert max(sum(1 for at in moments if start <= at < start + 0.9) for start in moments) <= 5
    slow = [seen.at for seen in server.seen if "/slow/" in seen.path]
    assert max(sum(1 for at in slow if start <= at < start + 0.28) for start in slow) <= 2
    used = run.document["budget"]
    assert used["requests"] == len(server.seen)
    assert (used["requests_allowed"], used["peak_in_flight"]) == (100, 2)
    assert 1 <= used["peak_per_second"] <= 5
    assert used["bytes"] > sum(1 for seen in server.seen)


@pytest.mark.row("P05", "TCP, TLS and DNS probes too, 2 a second")
def test_probes_of_every_kind_keep_to_the_budget(project: Project, server: FaultServer) -> None:
    """Connections of probes are requests as well: they wait for their turn, and are counted."""
    project.target("budget: {per_second: 2, requests: 100}\n", policy="deadline: 1m")
    kinds = ("{tcp: api, expect: {connected: true}", "{dns: api, expect: {addresses: {contains: 127.0.0.1}}")
    project.suite("\n".join(f"- {kind}, name: p{n}}}" for n, kind in enumerate(kinds * 2)))
    run = project.run()
    run.require(promote())
    assert run.document["budget"]["requests"] == 4 + len(server.seen)
    assert run.document["budget"]["peak_per_second"] <= 2


@pytest.mark.row("P05", "429 twice, heard by one process of the run")
def test_the_second_plea_ends_everything(project: Project, server: FaultServer) -> None:
    """What one test was asked holds for all: nobody sends in the pause, nor after the second 429."""
    server.on("/limited", Answer(429, headers={"retry-after": "2"}))
    project.target(policy="deadline: 1m")
    project.suite()
    project.tests("""
        import time

        def test_limited(api):
            assert api.get("/limited").status_code == 200

        @pytest.mark.parametrize("number", range(30))
        def test_other(api, number):
            time.sleep(0.1)
            assert api.get(f"/ok/{number}").status_code == 200
    """)
    run = project.run()
    run.require(hold("required_check_not_proven"))
    limited = [seen.at for seen in server.seen if seen.path == "/limited"]
    others = [seen.at for seen in server.seen if seen.path != "/limited"]
    assert len(limited) == 2
    assert limited[1] - limited[0] >= 1.95
    assert [at for at in others if limited[0] + 1 < at < limited[0] + 1.95] == []
    assert [at for at in others if at > limited[1] + 1] == []
    assert "rate_limited" in str(run.document)


@pytest.mark.row("P06", "nothing goes wrong: the cleanup leaves nothing, and no ledger")
def test_a_run_cleans_up(project: Project, store: Store) -> None:
    """What the rows start from."""
    _project(project)
    run = project.run()
    run.require(promote())
    assert store.things == {}
    assert not (project.reports / "created.jsonl").exists()


@pytest.mark.row("P06", "SIGKILL of the run and all its workers at 20 points between creating and cleaning up")
def test_what_a_killed_run_leaves_is_swept(project: Project, store: Store) -> None:
    """However far it had come, a sweep removes what is left, and the ledger holds no secret."""
    _project(project)
    points = range(20) if not project.workers else range(1, 20, 2)
    for point in points:
        store.things.clear()
        store.count, store.kill_at = 0, None
        process = project.fork()
        store.victim, store.kill_at = process.pid, point
        process.wait(60)
        _end(process.pid)
        ledger = project.reports / "created.jsonl"
        assert SECRET not in (ledger.read_text() if ledger.exists() else "")
        store.kill_at = None
        swept = _sweep(project)
        assert (swept.status, store.things) == (0, {}), (point, swept.out, swept.err)
        assert SECRET not in swept.out
