"""Whose certificates are trusted: one answer for every way out that lets us choose."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

__all__ = ["authorities"]

_FILES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def authorities() -> str | None:
    """The file that OpenSSL's own variable ``SSL_CERT_FILE`` names, else the system's; None if there is neither."""
    chosen = os.environ.get("SSL_CERT_FILE")
    return chosen or next((path for path in _FILES if Path(path).is_file()), None)
