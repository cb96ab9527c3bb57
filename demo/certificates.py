"""A certificate authority of our own, and certificates that are right or wrong on purpose."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

CA_FILE = "ca.pem"
_DAY = timedelta(days=1)


class Authority:
    """Issues what the server shows; clients trust the `ca.pem` that it writes."""

    def __init__(self, directory: Path, host: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.ca_file = directory / CA_FILE
        self._chain = directory / "server.pem"
        self._hosts = sorted({host, "127.0.0.1", "::1", "localhost"})
        self._ca = trustme.CA(organization_name="TalkStudio demo")
        self._ca.cert_pem.write_to_path(self.ca_file)
        self._kinds: dict[str, Callable[[], bytes]] = {
            "": lambda: self._issue(self._hosts, timedelta(days=-1), timedelta(days=90)),
            "expired-certificate": lambda: self._issue(self._hosts, timedelta(days=-90), timedelta(days=-1)),
            "expiring-certificate": lambda: self._issue(self._hosts, timedelta(days=-87), timedelta(days=3)),
            "wrong-host-certificate": lambda: self._issue(["wrong.example.com"], -_DAY, timedelta(days=90)),
            "self-signed": self._self_signed,
            "missing-intermediate": self._without_intermediate,
        }
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # Without tickets every connection sees the present certificate.
        self.context.num_tickets = 0
        self.present("")

    def present(self, kind: str) -> None:
        """Show this kind of certificate from the next handshake on; an empty kind is a good one."""
        self._chain.touch(mode=0o600)
        self._chain.write_bytes(self._kinds[kind]())
        self.context.load_cert_chain(self._chain)

    def _issue(self, hosts: list[str], begins: timedelta, ends: timedelta) -> bytes:
        now = datetime.now(UTC)
        leaf = self._ca.issue_cert(*hosts, not_before=now + begins, not_after=now + ends)
        return _pem(leaf.private_key_pem, *leaf.cert_chain_pems)

    def _without_intermediate(self) -> bytes:
        leaf = self._ca.create_child_ca().issue_cert(*self._hosts)
        return _pem(leaf.private_key_pem, leaf.cert_chain_pems[0])

    def _self_signed(self) -> bytes:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
        now = datetime.now(UTC)
        good = x509.load_pem_x509_certificate(self._issue(self._hosts, -_DAY, _DAY))
        hosts = good.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now - _DAY).not_valid_after(now + 90 * _DAY)
        certificate = builder.add_extension(hosts, critical=False).sign(key, hashes.SHA256())
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        return private + certificate.public_bytes(serialization.Encoding.PEM)


def _pem(*blobs: trustme.Blob) -> bytes:
    return b"".join(blob.bytes() for blob in blobs)
