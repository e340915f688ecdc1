"""The certificates to trust. An error names the user's own file or folder, which OpenSSL does not."""

from __future__ import annotations

import errno
import os
import ssl
from pathlib import Path

from rsspot.errors import ConfigError
from rsspot.wire import tls_for

VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""The first that is set counts, as in httpx."""


def tls_settings(scheme: str) -> ssl.SSLContext | bool:
    """The TLS settings of a scheme. Raises ConfigError if the certificates that a variable names cannot be used."""
    variable = next((name for name in VARIABLES if os.environ.get(name)), None)
    if variable is None or scheme != "https":
        return tls_for(f"{scheme}:")
    path = os.environ[variable]
    try:
        if variable == "SSL_CERT_DIR" and not any(Path(folder).is_dir() for folder in path.split(os.pathsep)):
            # OpenSSL would trust nobody, and no connection could be made.
            raise NotADirectoryError(errno.ENOTDIR, "not a directory")
        return tls_for(f"{scheme}:")
    except OSError as error:
        clause = "it contains no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        hint = f"set {variable} to certificates in PEM format, or unset it"
        raise ConfigError(f"cannot use {path} ({variable}): {clause}", hint=hint) from None
