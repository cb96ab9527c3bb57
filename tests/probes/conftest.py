"""Real servers on loopback, each in threads of its own, and certificates of every kind."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
import trustme

from postdeploy.domain.target import Service, Target

Handler = Callable[[socket.socket], None]
Serve = Callable[..., int]
Tls = Callable[..., ssl.SSLContext]


@pytest.fixture
def target() -> Callable[[str], Target]:
    """Give a target whose one service ``web`` is at the URL."""
    return lambda url: Target("test", {"web": Service("web", url)})


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server whose connections are each given to the handler, on a thread; gives its port."""
    with ExitStack() as stack:
        yield lambda handler, host="127.0.0.1": stack.enter_context(_server(handler, host))


@contextmanager
def _server(handler: Handler, host: str) -> Iterator[int]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with ExitStack() as connections, socket.create_server((host, 0), family=family) as listener:
        thread = threading.Thread(target=_accept, args=(listener, handler, connections), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(2)


def _accept(listener: socket.socket, handler: Handler, connections: ExitStack) -> None:
    with suppress(OSError):
        while True:
            connection = connections.enter_context(listener.accept()[0])
            with suppress(OSError):
                handler(connection)


@pytest.fixture
def closed_port() -> int:
    """Give a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def black_hole() -> Iterator[int]:
    """Give a port that drops every connection attempt, since the queue of its listener is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@pytest.fixture
def resolves(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make every name resolve to these addresses, or fail with this error."""

    def use(*addresses: str, error: Exception | None = None) -> None:
        def getaddrinfo(_host: str, port: int, **_options: object) -> list[tuple[object, ...]]:
            if error is not None:
                raise error
            families = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in addresses]
            pairs = zip(families, addresses, strict=True)
            return [(family, socket.SOCK_STREAM, 6, "", (address, port)) for family, address in pairs]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    return use


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Give the certificate authority of the tests."""
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Trust the authority of the tests, by the variable that OpenSSL itself reads."""
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return path


@pytest.fixture
def tls(authority: trustme.CA) -> Tls:
    """Give a server's context whose certificate is for these names and ends after this many days."""

    def context(*names: str, days: float = 90, begins: float = -1, issuer: trustme.CA = authority) -> ssl.SSLContext:
        now = dt.datetime.now(tz=dt.UTC)
        certificate = issuer.issue_cert(
            *(names or ("127.0.0.1",)),
            common_name="the service",
            not_before=now + dt.timedelta(days=min(begins, days - 1)),
            not_after=now + dt.timedelta(days=days),
        )
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(made)
        return made

    return context


@pytest.fixture
def serve_tls(serve: Serve) -> Callable[[ssl.SSLContext], int]:
    """Start a server that only shakes hands; gives its port."""

    def start(context: ssl.SSLContext) -> int:
        def shake_hands(connection: socket.socket) -> None:
            connection.settimeout(0.5)
            with context.wrap_socket(connection, server_side=True) as secured:
                secured.recv(1)

        return serve(shake_hands)

    return start
