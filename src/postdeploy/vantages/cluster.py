"""The workers of a dask.distributed cluster: the only module that imports it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from postdeploy.errors import VantageError
from postdeploy.lazy_dataclass import dataclass

__all__ = ["Certificates", "Cluster", "Worker", "check_address"]

_PREFIX: Final = "vantage-"
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_NO_PICKLE: Final = ["dask", "msgpack", "error"]
"""What comes back is bytes, and nothing else is read."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files with the authority of the cluster, and with our own certificate and its key."""

    ca: str
    cert: str
    key: str


class Worker(NamedTuple):
    """A worker: the vantages that it offers, and when the scheduler last heard of it, by the scheduler's clock."""

    vantages: frozenset[str]
    last_seen: float


def check_address(address: str, certificates: Certificates | None, *, plain: bool) -> None:
    """Refuse what would let others run code on the workers. Raises VantageError."""
    parts = urlsplit(address)
    if parts.scheme not in {"tls", "tcp"} or not parts.hostname:
        raise VantageError(f"--scheduler takes an address such as tls://scheduler:8786, not {address!r}")
    if parts.scheme == "tls":
        if certificates is None:
            raise VantageError("a scheduler at tls:// needs --tls-ca, --tls-cert and --tls-key")
    elif parts.hostname not in _LOOPBACK and not plain:
        raise VantageError(
            f"{address} is neither encrypted nor authenticated: whoever reaches it runs code on the workers; "
            "use tls://, or say --plain on a network that is yours alone"
        )


class Cluster:
    """A connection to a scheduler. Raises VantageError where there is none."""

    def __init__(self, address: str, certificates: Certificates | None, patience: float) -> None:
        try:
            import distributed
        except ImportError as error:
            raise VantageError(
                "several vantages need the extra 'dask': pip install 'pytest-postdeploy[dask]'"
            ) from error
        dask: Any = distributed  # it has no types
        security = None
        if certificates is not None:
            security = dask.Security(
                tls_ca_file=certificates.ca,
                tls_client_cert=certificates.cert,
                tls_client_key=certificates.key,
                require_encryption=True,
            )
        try:
            self._client: Any = dask.Client(
                address, security=security, timeout=patience, set_as_default=False, name="postdeploy",
                serializers=_NO_PICKLE, deserializers=_NO_PICKLE,
            )  # fmt: skip
        except (OSError, ValueError, RuntimeError) as error:
            raise VantageError(f"there is no scheduler at {address}: {error}") from error

    def workers(self) -> dict[str, Worker]:
        """All workers by address. Raises OSError when the scheduler cannot be asked."""
        # scheduler_info() of the client may return what another thread fetched meanwhile, which has no workers
        try:
            found: Mapping[str, Any] = self._client.sync(self._client.scheduler.identity, n_workers=-1)["workers"]
        except RuntimeError as error:
            raise OSError(str(error)) from error
        return {address: Worker(_vantages(each), float(each["last_seen"])) for address, each in found.items()}

    def send(self, order: bytes, vantage: str, address: str, key: str) -> Any:
        """Have one worker carry out an order, once; returns what can be asked for the answer."""
        from postdeploy.vantages.errand import run_errand

        return self._client.submit(
            run_errand, order, key=key, workers=[address], allow_other_workers=False,
            resources={_PREFIX + vantage: 1}, retries=0, pure=False,
        )  # fmt: skip

    def answer(self, future: Any) -> bytes | None:
        """What came back; None as long as nothing has. Raises VantageError if nothing will."""
        if not future.done():
            return None
        try:
            answer = future.result(timeout=30)
        except Exception as error:
            raise VantageError(f"the worker failed: {type(error).__name__}: {error}") from error
        if not isinstance(answer, bytes):
            raise VantageError("the worker sent something else than bytes")
        return answer

    def cancel(self, future: Any) -> None:
        """Let nobody carry it out any more who has not begun."""
        future.cancel(force=True)

    def close(self) -> None:
        """End the connection."""
        self._client.close(timeout=5)


def _vantages(worker: Mapping[str, Any]) -> frozenset[str]:
    resources: Mapping[str, float] = worker.get("resources") or {}
    return frozenset(name.removeprefix(_PREFIX) for name, amount in resources.items()
                     if name.startswith(_PREFIX) and amount >= 1)  # fmt: skip
