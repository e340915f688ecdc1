"""A server that speaks TLS beside plain HTTP, on the same port.

Kubernetes clients keep the credentials of a kubeconfig to themselves unless the connection is encrypted.
"""

from __future__ import annotations

import socket
import ssl
import tempfile
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from rsspot.simulator.front.certificates import Certificates, loopback_certificates
from rsspot.simulator.front.server import Server

_HANDSHAKE = b"\x16"
"""What a TLS connection begins with; no HTTP method does."""
HANDSHAKE_TIMEOUT = 10.0
"""Seconds for a client to begin."""


class SecureServer(Server):
    """Server for clients with and without TLS. Its certificates are made when they are needed first."""

    @cached_property
    def _certificates(self) -> Certificates:
        return loopback_certificates()

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return _context(self._certificates)

    @property
    def authority(self) -> str:
        """The certificate, in PEM, that clients are to trust."""
        return self._certificates.authority

    @property
    def secure_url(self) -> str:
        return self.url.replace("http:", "https:", 1)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Handle a connection, in a thread of its own. Clients that give up during the handshake are ignored."""
        with suppress(ssl.SSLError, TimeoutError, ConnectionError), self._encrypted(request) as connection:
            super().finish_request(connection, client_address)

    def _encrypted(self, connection: socket.socket) -> socket.socket:
        """The connection, encrypted if the client wants it to be."""
        connection.settimeout(HANDSHAKE_TIMEOUT)
        if connection.recv(1, socket.MSG_PEEK) == _HANDSHAKE:
            connection = self._context.wrap_socket(connection, server_side=True)
        connection.settimeout(None)
        return connection


def _context(certificates: Certificates) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # The standard library loads certificates from files only. The folder is private, and gone at once.
    with tempfile.TemporaryDirectory() as folder:
        chain, key = Path(folder, "server.pem"), Path(folder, "server.key")
        chain.write_text(certificates.server)
        key.write_text(certificates.key)
        context.load_cert_chain(chain, key)
    return context
