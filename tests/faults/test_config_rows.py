from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.expected import Expected
from tests.faults.project import Project, clean_environment
from tests.faults.server import FaultServer

GOOD = "targets:\n  local:\n    services: {api: http://127.0.0.1:9}\n"
KIB = 1024


def levels(count: int) -> str:
    """Merge keys that multiply."""
    first = "a0: &a0 {x: 1}\n"
    return first + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, count))


CORPUS: dict[str, bytes | str] = {
    "billion-laughs": "a: &a [x]\n" + "".join(f"{c}: &{c} [{f'*{chr(ord(c) - 1)}, ' * 9}]\n" for c in "bcdefghi"),
    "merge-bomb": levels(8),
    "cycle": "targets: &a {b: *a}\n",
    "alias": GOOD + "  other: *x\n",
    "anchor": GOOD.replace("local:", "local: &x"),
    "duplicate-key": GOOD + "  local:\n    services: {api: http://evil.example}\n",
    "duplicate-service": "targets:\n  local:\n    services: {api: http://a.example, api: http://evil.example}\n",
    "tab": "targets:\n\tlocal: {}\n",
    "utf-16": GOOD.encode("utf-16"),
    "utf-16-without-mark": GOOD.encode("utf-16-le"),
    "latin-1": GOOD.encode() + b"    release: {from: 'api:/caf\xe9'}\n",
    "zero-byte": GOOD + "\0\n",
    "escape": GOOD + "  '\x1b[2J': {}\n",
    "surrogate": GOOD + '  "\\ud800": {}\n',
    "bidi-in-a-name": GOOD + "  'l\u202eacol': {extends: local}\n",
    "bidi-in-a-url": "targets:\n  local:\n    services: {api: 'http://127.0.0.1\u202e:9'}\n",
    "empty": "",
    "blank": "\n \n",
    "scalar": "text\n",
    "list": "- a\n- b\n",
    "two-documents": GOOD + "---\n" + GOOD,
    "depth": "targets: " + "[" * 1000 + "]" * 1000,
    "depth-without-end": "targets: " + "{a: " * 100_000,
    "many-lines": "".join(f"k{number}: v\n" for number in range(100_000)),
    "large-scalar": "targets: '" + "x" * 20_000_000 + "'\n",
    "bad-time": GOOD + "    budget: {requests: 2024-99-99}\n",
    "long-number": GOOD + "    budget: {requests: " + "9" * 5000 + "}\n",
    "python-tag": "targets: !!python/object/apply:os.system ['touch owned']\n",
    "own-tag": GOOD + "    secrets: {token: !env TOKEN}\n",
    "template": "targets: {{ targets }}\n",
    "injected-key": GOOD + "    access: '${INJECT}'\n",
    "unknown-key": "targets:\n  local:\n    services: {api: http://127.0.0.1:9}\n    polcy: {}\n",
    "not-a-flag": GOOD + "    access: NO\n",
    "octal": GOOD + "    budget: {requests: 010}\n",
    "sexagesimal": GOOD + "    budget: {in_flight: 22:22}\n",
}  # fmt: skip

MEASURED = """
import json, os, resource, sys, time
from pathlib import Path
from postdeploy.config import load_target
from postdeploy.errors import ConfigurationError

def attempt(name):
    begun = time.process_time()
    try:
        load_target(Path("corpus", name), "local", {"INJECT": "read-only\\\\nevil: 1"})
    except ConfigurationError as error:
        message = str(error).splitlines()[0]
    else:
        message = ""
    return time.process_time() - begun, message

Path("corpus", "good").write_text(sys.argv[1])
attempt("good")
found = {}
for name in sys.argv[2:]:
    reader, writer = os.pipe()
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    child = os.fork()
    if not child:
        took, message = attempt(name)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        os.write(writer, json.dumps([took, message, (peak - base) / 1024]).encode())
        os._exit(0)
    os.close(writer)
    found[name] = json.loads(b"".join(iter(lambda: os.read(reader, 65536), b"")) or "[99, \\"it died\\", 999]")
    os.waitpid(child, 0)
print(json.dumps(found))
"""


@pytest.mark.row("Y01", f"{len(CORPUS)} hostile files")
def test_hostile_files_are_refused_at_once_with_their_place(tmp_path: Path) -> None:
    """Each is refused with file, line and column, in half a second and with little memory; nothing in it is run."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name, content in CORPUS.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    run = subprocess.run(
        [sys.executable, "-c", MEASURED, GOOD, *CORPUS],
        cwd=tmp_path, env=clean_environment(), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    for name, (seconds, message, mib) in found.items():
        place = r"(:\d+:\d+)?" if name in {"many-lines", "large-scalar", "depth-without-end"} else r":\d+:\d+"
        assert re.match(rf"corpus/{name}{place}: ", message), (name, message)
        assert message.isprintable(), name
        assert seconds <= 0.5, (name, seconds)  # of the processor, so that others on this machine do not count
        assert mib <= 64, (name, mib)
    assert not (tmp_path / "owned").exists()


@pytest.mark.row("Y01", "a run with a hostile file")
@pytest.mark.parametrize("name", ["duplicate-key", "merge-bomb", "python-tag"])
def test_a_run_with_a_hostile_file_sends_nothing(alone: Project, server: FaultServer, name: str) -> None:
    """The verdict says that the configuration is wrong, and where; the server was not asked."""
    alone.healthy()
    alone.write("targets.yaml", str(CORPUS[name]).replace("http://127.0.0.1:9", server.url))
    run = alone.run()
    run.require(Expected("inconclusive", "config_error", "hold", 4, 10))
    assert re.search(r"targets\.yaml:\d+:\d+: ", run.document["summary"])
    assert server.seen == []
