"""Tests of TLS on loopback: certificates that strict clients accept, and plain HTTP on the same port."""

import http.client
import ipaddress
import json
import socket
import ssl
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.verification import PolicyBuilder, Store

from rsspot.simulator.faults import fault_of
from rsspot.simulator.front.certificates import VALID, loopback_certificates
from rsspot.simulator.front.secure import SecureServer
from support.tenancy import Spot

PATIENCE = 30.0


@pytest.fixture
def server():
    """A server with TLS and its world, whose clock stands still."""
    spot = Spot()
    started = SecureServer(spot.api)
    started.start()
    yield started
    started.close()
    spot.world.close()


def trusting(authority):
    """A TLS context that trusts one authority, with the strictest checks that OpenSSL has."""
    context = ssl.create_default_context(cadata=authority)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def connection_to(server, host="127.0.0.1", authority=None):
    """An encrypted connection."""
    context, port = trusting(authority or server.authority), server.server_address[1]
    return closing(http.client.HTTPSConnection(host, port, context=context, timeout=PATIENCE))


def bearer(server):
    """The headers of the first person's kubeconfig."""
    identity = server.api.world.identity
    return {"Authorization": f"Bearer {identity.password(identity.accounts.callers()[0])}"}


def test_certificates_pass_the_checks_of_two_libraries():
    """Keys and nonces are random, so several are made; each fits its private key."""
    for _ in range(8):
        made = loopback_certificates()
        authority, leaf = (x509.load_pem_x509_certificate(each.encode()) for each in (made.authority, made.server))
        key = load_pem_private_key(made.key.encode(), password=None)
        assert key.public_key() == leaf.public_key()
        builder = PolicyBuilder().store(Store([authority]))
        for name in (x509.DNSName("localhost"), *_addresses("127.0.0.1", "::1")):
            assert builder.build_server_verifier(name).verify(leaf, []) == [leaf, authority]


def _addresses(*texts):
    return [x509.IPAddress(ipaddress.ip_address(text)) for text in texts]


def test_certificates_are_valid_for_a_year():
    """From a little earlier on, for clients whose clock is behind."""
    now = datetime(2026, 8, 17, tzinfo=UTC)
    for text in (loopback_certificates(now).authority, loopback_certificates(now).server):
        certificate = x509.load_pem_x509_certificate(text.encode())
        assert certificate.not_valid_before_utc == now - timedelta(hours=1)
        assert certificate.not_valid_after_utc == now - timedelta(hours=1) + VALID


def test_each_server_has_an_authority_of_its_own():
    """A kubeconfig of another server does not trust this one."""
    one, other = loopback_certificates(), loopback_certificates()
    assert len({one.authority, other.authority, one.server, other.server, one.key, other.key}) == 6


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_requests_are_answered_over_tls(server, host):
    """Several on one connection."""
    with connection_to(server, host) as connection:
        for _ in range(2):
            connection.request("GET", "/apis/ngpc.rxt.io/v1/regions", headers=bearer(server))
            answer = connection.getresponse()
            assert (answer.status, json.loads(answer.read())["kind"]) == (200, "RegionList")


def test_plain_http_is_served_on_the_same_port(server):
    """For the clients that use the ready file."""
    with closing(http.client.HTTPConnection(*server.server_address, timeout=PATIENCE)) as connection:
        connection.request("GET", "/healthz")
        assert connection.getresponse().read() == b"ok"


def test_a_client_that_trusts_another_authority_does_not_connect(server):
    """And the server goes on without it."""
    other = loopback_certificates().authority
    with connection_to(server, authority=other) as connection, pytest.raises(ssl.SSLCertVerificationError):
        connection.connect()
    with connection_to(server) as connection:
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200


@pytest.mark.parametrize("beginning", [b"", b"\x16", b"\x16\x03\x01\x00\x05hello", b"\x80\x2e\x01"])
def test_a_broken_handshake_ends_its_own_connection_only(server, beginning, capfd):
    """Nothing is printed either."""
    with socket.create_connection(server.server_address, timeout=PATIENCE) as broken:
        broken.sendall(beginning)
        broken.shutdown(socket.SHUT_WR)
        while broken.recv(4096):
            pass
    with connection_to(server) as connection:
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200
    assert capfd.readouterr().err == ""


def test_a_client_that_sends_nothing_is_given_up(server, monkeypatch):
    """A connection takes a thread."""
    monkeypatch.setattr("rsspot.simulator.front.secure.HANDSHAKE_TIMEOUT", 0.05)
    with socket.create_connection(server.server_address, timeout=PATIENCE) as silent:
        assert silent.recv(1) == b""


def test_a_watch_is_streamed_over_tls(server):
    """And ends with the server."""
    with connection_to(server) as connection:
        connection.request("GET", "/apis/ngpc.rxt.io/v1/regions?watch=true", headers=bearer(server))
        answer = connection.getresponse()
        assert json.loads(answer.readline())["type"] == "ADDED"
        server.stopping.set()
        assert answer.read().endswith(b"}\n")


def test_a_scripted_reset_breaks_an_encrypted_connection(server):
    """As it breaks a plain one."""
    server.api.faults.script.append(fault_of("reset-before"))
    with connection_to(server) as connection:
        connection.request("GET", "/apis/ngpc.rxt.io/v1/regions", headers=bearer(server))
        with pytest.raises((ConnectionError, ssl.SSLError, http.client.HTTPException)):
            connection.getresponse()


def test_the_credential_of_a_kubeconfig_does_not_expire(server):
    """Unlike an id_token."""
    server.api.world.clock.advance(10 * server.api.world.identity.lifetime)
    with connection_to(server) as connection:
        connection.request("GET", "/apis/ngpc.rxt.io/v1/regions", headers=bearer(server))
        assert connection.getresponse().status == 200
