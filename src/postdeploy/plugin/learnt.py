"""Secrets between the processes of a run.

Values of the target go to workers in their environment; what a worker learns comes back with its reports, so that
nothing that leaves any of them later has it. What comes back is veiled with a key from the environment, since debug
logs of the channel show what is sent.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import secrets as randomness
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any, Final

import pytest

from postdeploy.domain.redaction import Redactor, Secret
from postdeploy.plugin.masking import mask

if TYPE_CHECKING:
    from postdeploy.plugin.execution import Execution

__all__ = ["Confidences", "KnownSecrets", "received"]

_VARIABLE: Final = "POSTDEPLOY_CONFIDENCES"
_FIELD: Final = "_postdeploy_learnt"


class KnownSecrets(dict[str, Secret]):
    """The secrets of the target by name; ``learn`` adds one that a test came to know, such as the token of a login."""

    def __init__(self, known: Mapping[str, Secret], redactor: Redactor) -> None:
        super().__init__(known)
        self._redactor = redactor

    def learn(self, name: str, value: str) -> Secret:
        """Mask a value from now on, in everything that the run writes."""
        secret = self[name] = Secret(name, value)
        self._redactor.learn(secret)
        return secret


def received() -> Mapping[str, Any]:
    """What the process that started this worker has confided to it; no other process gets to know."""
    confided: Mapping[str, Any] = json.loads(os.environ.pop(_VARIABLE, "{}"))
    return confided


class Confidences:
    """Registered as a plugin in every process of a run with workers."""

    def __init__(self, execution: Execution, confided: Mapping[str, Any]) -> None:
        self._execution = execution
        self._key = bytes.fromhex(confided["key"]) if confided else randomness.token_bytes(32)
        self._told = len(execution.redactor.known)
        self._first = self._told

    @pytest.hookimpl
    def pytest_sessionstart(self) -> None:
        """Confide in the workers, which are started last of all."""
        if self._execution.coordinates:
            values = {name: secret.reveal() for name, secret in self._execution.target.secrets.items()}
            os.environ[_VARIABLE] = json.dumps({"key": self._key.hex(), "secrets": values})

    @pytest.hookimpl
    def pytest_unconfigure(self) -> None:
        """Forget it."""
        os.environ.pop(_VARIABLE, None)

    @pytest.hookimpl(wrapper=True)
    def pytest_report_to_serializable(self) -> Generator[None, dict[str, Any] | None, dict[str, Any] | None]:
        """A worker tells what it has learnt since its last report."""
        data = yield
        known = self._execution.redactor.known
        if data is not None and self._execution.settings.worker and len(known) > self._told:
            new, self._told = known[self._told :], len(known)
            text = json.dumps([(secret.name, secret.reveal()) for secret in new])
            data[_FIELD] = base64.b64encode(_veiled(text.encode(), self._key)).decode()
        return data

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_report_from_serializable(self, data: dict[str, Any]) -> Generator[None, Any, Any]:
        """Learn what the worker has learnt; its report, and those of others that do not know it yet, are masked."""
        veiled = data.pop(_FIELD, None)
        redactor = self._execution.redactor
        with contextlib.suppress(ValueError):
            for name, value in json.loads(_unveiled(base64.b64decode(veiled), self._key)) if veiled else ():
                redactor.learn(Secret(name, value))
        report = yield
        if report is not None and len(redactor.known) > self._first:
            mask(report, redactor)
        return report


_NONCE: Final = 16


def _veiled(data: bytes, key: bytes) -> bytes:
    nonce = randomness.token_bytes(_NONCE)
    return nonce + _mixed(data, key + nonce)


def _unveiled(data: bytes, key: bytes) -> bytes:
    return _mixed(data[_NONCE:], key + data[:_NONCE])


def _mixed(data: bytes, seed: bytes) -> bytes:
    """XOR with a stream of SHA-256; nothing here needs more than to be unreadable without the key."""
    blocks = (hashlib.sha256(seed + number.to_bytes(8, "big")).digest() for number in range(len(data) // 32 + 1))
    return bytes(one ^ other for one, other in zip(data, b"".join(blocks), strict=False))
