"""A network of three machines in namespaces: the runner, the target, and one that does not fail with the target."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.faults.server import FaultServer, serve
from tests.warm_python import WarmPython, warm_python

__all__ = ["CONTROL", "NAME", "TARGET", "Network", "network"]

RUNNER_SIDE: Final = ("10.91.1.1", "10.91.2.1")
TARGET: Final = "10.91.1.2"
CONTROL: Final = "10.91.2.2"
NAME: Final = "known.postdeploy.test"
"""The name that the resolver of this network knows."""

_NEW_NETWORK: Final = 0x40000000  # CLONE_NEWNET
_NO_SUCH_NAME: Final = 3


@dataclass(slots=True)
class Network:
    """Names of the namespaces, and the servers: one at ``TARGET``, one at ``CONTROL`` beside the default route.

    What ``python`` forks is on the machine of the runner.
    """

    stem: str
    target: FaultServer
    control: FaultServer
    python: WarmPython
    _stack: ExitStack = field(default_factory=ExitStack)

    def runner(self, command: list[str]) -> list[str]:
        """A command on the machine of the runner that starts afresh."""
        return ["ip", "netns", "exec", f"{self.stem}r", *command]

    def ip(self, machine: str, *words: str) -> None:
        """``ip`` on a machine: ``r``, ``t`` or ``c``."""
        _ip("-n", self.stem + machine, *words)

    def cut(self) -> None:
        """Take both links of the runner down."""
        for link in ("t0", "c0"):
            self.ip("r", "link", "set", link, "down")

    def drop(self) -> None:
        """Let the answers of the target get lost: what is sent to it arrives, and nothing comes back."""
        self.ip("t", "route", "add", "blackhole", f"{RUNNER_SIDE[0]}/32")

    def refuse(self) -> None:
        """End the server of the target: its machine refuses connections."""
        self._stack.close()


@contextmanager
def network() -> Iterator[Network]:
    """The network; its namespaces are gone afterwards."""
    stem = f"pd{os.getpid() % 100000}"
    with ExitStack() as stack:
        for machine in "rtc":
            _ip("netns", "add", stem + machine)
            stack.callback(_ip, "netns", "del", stem + machine)
            _ip("-n", stem + machine, "link", "set", "lo", "up")
        for machine, near, far in (("t", RUNNER_SIDE[0], TARGET), ("c", RUNNER_SIDE[1], CONTROL)):
            _ip(
                "link", "add", f"{machine}0", "netns", f"{stem}r", "type", "veth", "peer", "e0", "netns", stem + machine
            )
            _address(f"{stem}r", f"{machine}0", near)
            _address(stem + machine, "e0", far)
        _ip("-n", f"{stem}r", "route", "add", "default", "via", CONTROL)
        _resolver(stem, stack)
        servers = ExitStack()
        stack.callback(servers.close)
        target = servers.enter_context(serve(listener=_listen(f"{stem}t", TARGET)))
        control = stack.enter_context(serve(listener=_listen(f"{stem}c", CONTROL)))
        python = stack.enter_context(warm_python().within(f"{stem}r"))
        yield Network(stem, target, control, python, servers)


def _address(namespace: str, link: str, address: str) -> None:
    _ip("-n", namespace, "addr", "add", f"{address}/24", "dev", link)
    _ip("-n", namespace, "link", "set", link, "up")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=10)


def _listen(namespace: str, address: str) -> socket.socket:
    return _socket(namespace, address, socket.SOCK_STREAM, 0)


def _socket(namespace: str, address: str, kind: int, port: int) -> socket.socket:
    """A socket belongs to the namespace in which it was made, whoever uses it; only a thread goes there."""
    made: Future[socket.socket] = Future()

    def make() -> None:
        try:
            _enter(namespace)
            sock = socket.socket(socket.AF_INET, kind)
            sock.bind((address, port))
            if kind == socket.SOCK_STREAM:
                sock.listen(128)
            made.set_result(sock)
        except OSError as error:
            made.set_exception(error)

    threading.Thread(target=make).start()
    return made.result(10)


def _enter(namespace: str) -> None:
    with Path(f"/run/netns/{namespace}").open("rb") as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), _NEW_NETWORK):
            raise OSError(ctypes.get_errno(), "setns")


def _resolver(stem: str, stack: ExitStack) -> None:
    """The runner asks the control machine for names; it knows one, and says of all others that they do not exist."""
    folder = Path("/etc/netns") / f"{stem}r"
    folder.mkdir(parents=True)
    stack.callback(folder.rmdir)
    file = folder / "resolv.conf"
    file.write_text(f"nameserver {CONTROL}\noptions timeout:1 attempts:1\n", encoding="ascii")
    stack.callback(file.unlink)
    sock = _socket(f"{stem}c", CONTROL, socket.SOCK_DGRAM, 53)
    stack.callback(sock.close)
    threading.Thread(target=_answer_names, args=(sock,), daemon=True).start()


def _answer_names(sock: socket.socket) -> None:
    known = b"".join(bytes([len(label)]) + label for label in NAME.encode().split(b".")) + b"\0"
    while True:
        try:
            query, client = sock.recvfrom(512)
        except OSError:
            return
        end = query.index(b"\0", 12) + 5
        question, wants_address = query[12:end], query[end - 4 : end - 2] == b"\0\1"
        found = question[:-4].lower() == known
        answer = b"\xc0\x0c\0\1\0\1\0\0\0\x05\0\4" + socket.inet_aton(CONTROL) if found and wants_address else b""
        flags = 0x8180 | (0 if found else _NO_SUCH_NAME)
        sock.sendto(query[:2] + struct.pack(">HHHHH", flags, 1, 1 if answer else 0, 0, 0) + question + answer, client)
