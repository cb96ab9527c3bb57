"""A cluster of dask in network namespaces: a scheduler, workers each on a machine of its own, and the target."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

__all__ = ["Machines", "Target", "machines"]

_BIN: Final = Path(sys.executable).parent


class Target(ThreadingHTTPServer):
    """Answers 200, or the status that ``broken`` has for a client; one that is in ``held`` waits to be let go."""

    daemon_threads = True

    def __init__(self, host: str) -> None:
        self.seen: list[tuple[str, str]] = []
        self.broken: dict[str, int] = {}
        self.held: dict[str, threading.Event] = {}
        self.arrived = threading.Event()
        super().__init__((host, 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Target
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer one request."""
        client = self.client_address[0]
        self.server.seen.append((client, self.path))
        held = self.server.held.get(client)
        if held is not None and self.path.startswith("/check"):
            self.server.arrived.set()
            held.wait(60)
        with suppress(OSError):
            self.send_response(self.server.broken.get(client, 200) if self.path.startswith("/check") else 200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's own word
        """Say nothing."""


@dataclass(slots=True)
class Machines:
    """Addresses by name of a machine, and what runs there."""

    stem: str
    host: str
    folder: Path
    target: Target
    addresses: dict[str, str] = field(default_factory=dict)
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    scheduler: str = ""

    def start(self, name: str, vantage: str) -> None:
        """A worker on a machine of its own."""
        number = len(self.addresses) + 2
        address, space = f"{self.host[:-2]}.{number}", self.stem + name
        _ip("netns", "add", space)
        _ip("-n", space, "link", "set", "lo", "up")
        _ip("link", "add", f"{space}v", "type", "veth", "peer", "name", "e0", "netns", space)
        _ip("link", "set", f"{space}v", "master", f"{self.stem}b", "up")
        _ip("-n", space, "addr", "add", f"{address}/24", "dev", "e0")
        _ip("-n", space, "link", "set", "e0", "up")
        self.addresses[name] = address
        command = [str(_BIN / "dask"), "worker", self.scheduler, f"--name={name}", f"--host={address}", "--nthreads=1",
                   "--no-dashboard", "--no-nanny", f"--resources=vantage-{vantage}=1", *self.tls("worker")]  # fmt: skip
        log = (self.folder / f"{name}.log").open("wb")
        self.workers[name] = subprocess.Popen(["ip", "netns", "exec", space, *command], stdout=log, stderr=log)

    def tls(self, part: str) -> list[str]:
        """The options of dask for the certificates of a part."""
        ca, cert, key = (self.folder / name for name in ("ca.pem", f"{part}.pem", f"{part}.key"))
        return [f"--tls-ca-file={ca}", f"--tls-cert={cert}", f"--tls-key={key}"]

    def kill(self, name: str) -> None:
        """End a worker as the kernel does when memory is short."""
        self.workers[name].send_signal(signal.SIGKILL)
        self.workers[name].wait()

    def cut(self, name: str, *, up: bool = False) -> None:
        """Take the cable of a machine out, or put it in again."""
        _ip("link", "set", f"{self.stem}{name}v", "up" if up else "down")


@contextmanager
def machines(folder: Path, certificates: str) -> Iterator[Machines]:
    """A bridge with the scheduler and the target; ``certificates`` are commands; all is gone afterwards."""
    stem, host = f"van{os.getpid() % 10000}", f"10.93.{os.getpid() % 250}.1"
    subprocess.run(["bash", "-euc", certificates], cwd=folder, check=True, capture_output=True, timeout=60)
    with ExitStack() as stack:
        _ip("link", "add", f"{stem}b", "type", "bridge")
        stack.callback(_ip, "link", "del", f"{stem}b")
        _ip("addr", "add", f"{host}/24", "dev", f"{stem}b")
        _ip("link", "set", f"{stem}b", "up")
        target = Target(host)
        threading.Thread(target=target.serve_forever, daemon=True).start()
        stack.callback(target.shutdown)
        made = Machines(stem, host, folder, target)
        stack.callback(_delete_spaces, made)
        scheduler = subprocess.Popen(
            [str(_BIN / "dask"), "scheduler", f"--host={host}", "--port=8786", "--protocol=tls", "--no-dashboard",
             *made.tls("scheduler")],
            stdout=(folder / "scheduler.log").open("wb"), stderr=subprocess.STDOUT,
        )  # fmt: skip
        stack.callback(_end, scheduler)
        made.scheduler = f"tls://{host}:8786"
        yield made


def _delete_spaces(made: Machines) -> None:
    for process in made.workers.values():
        _end(process)
    for name in made.addresses:
        _ip("netns", "del", made.stem + name)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=10)
