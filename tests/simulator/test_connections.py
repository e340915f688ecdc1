"""The HTTP server against hostile or broken clients: other websites, ambiguous bodies, slow and many connections."""

import json
import socket
import threading
from contextlib import ExitStack, closing

import pytest

from rsspot.simulator.api import Api
from rsspot.simulator.clock import ManualClock
from rsspot.simulator.front.server import Server
from rsspot.simulator.front.webhook_sender import WebhookSender
from rsspot.simulator.spot.protocol import Notice
from rsspot.simulator.world import World

PATIENCE = 30.0
JSON = "Content-Type: application/json"


class Impatient(Server):
    """A server whose limits are reached at once."""

    most_connections = 3
    reading_timeout = 0.2
    idle_timeout = 0.4


@pytest.fixture
def start():
    """Start a server of this class in this process."""
    with ExitStack() as stack:

        def begin(kind=Server, **options):
            world = World(clock=ManualClock())
            stack.callback(world.close)
            server = kind(Api(world), **options)
            stack.callback(server.close)
            server.start()
            return server

        yield begin


def talk(server, raw):
    """Send bytes on a connection of their own. Returns everything received until the server closes it."""
    with socket.create_connection(server.server_address, timeout=PATIENCE) as connection:
        connection.sendall(raw)
        return everything(connection)


def everything(connection):
    """What is received until the server closes the connection."""
    received = b""
    try:
        while chunk := connection.recv(65536):
            received += chunk
    except ConnectionResetError:
        pass
    return received


def request(server, method, path, *lines, host=None, body=""):
    """One request on a connection of its own. Returns the status and the body of the response."""
    port = server.server_address[1]
    head = [f"{method} {path} HTTP/1.1", f"Host: {host or f'127.0.0.1:{port}'}".format(port=port), *lines]
    head += ["Connection: close", f"Content-Length: {len(body)}"]
    received = talk(server, "\r\n".join([*head, "", body]).encode())
    return int(received.split(b" ")[1]), received.partition(b"\r\n\r\n")[2].decode()


PATHS = ("/", "/version", "/activate", "/oauth/token", "/.well-known/jwks.json", "/simulator/clock", "/apis")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example:{port}", "127.0.0.1:1", "127.0.0.1", "[::1", " "],
)
def test_every_path_refuses_other_hosts(start, path, host):
    """A website that lets its own name point to this machine can read nothing."""
    assert request(start(), "GET", path, host=host)[0] == 403


@pytest.mark.parametrize(
    "host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}", "[::1]:{port}", "127.0.0.2:{port}"]
)
def test_loopback_hosts_are_answered(start, host):
    assert request(start(), "GET", "/version", host=host)[0] == 200


@pytest.mark.parametrize(
    ("named", "host", "status"),
    [
        ("spot.test", "spot.test", 200),
        ("spot.test", "Spot.Test:8443", 200),
        ("spot.test:8443", "spot.test:8443", 200),
        ("spot.test:8443", "spot.test", 403),
        ("spot.test", "evil.spot.test", 403),
    ],
)
def test_further_hosts_can_be_named(start, named, host, status):
    """For a proxy or a forwarded port."""
    assert request(start(hosts=[named]), "GET", "/version", host=host)[0] == status


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/activate"),
        ("POST", "/oauth/device/code"),
        ("POST", "/simulator/advance"),
        ("DELETE", "/simulator/faults"),
        ("POST", "/simulator/price"),
    ],
)
def test_other_websites_can_change_nothing(start, origin, method, path):
    """Browsers send the origin of a form with it."""
    server = start()
    server.api.faults.say("GET regions: 503")
    assert request(server, method, path, f"Origin: {origin}", JSON, body='{"seconds": 1}')[0] == 403
    assert len(server.api.faults.script) == 1


def test_the_own_page_can_change_things(start):
    """Its origin is the host it was loaded from."""
    server = start()
    origin = f"Origin: http://localhost:{server.server_address[1]}"
    status, _ = request(
        server, "POST", "/simulator/advance", origin, JSON, host="localhost:{port}", body='{"seconds": 1}'
    )
    assert status == 200
    assert request(server, "POST", "/activate", body="user_code=X&action=approve")[0] == 400


SMUGGLED = b"GET /version HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"


@pytest.mark.parametrize(
    ("lines", "body"),
    [
        (CHUNKED, "-5\r\nhello\r\n0\r\n\r\n"),
        (CHUNKED, "+5\r\nhello\r\n0\r\n\r\n"),
        (CHUNKED, "0x5\r\nhello\r\n0\r\n\r\n"),
        (CHUNKED, "1_0\r\nhello\r\n0\r\n\r\n"),
        (CHUNKED, f"{2**60:x}\r\nhello\r\n0\r\n\r\n"),
        (CHUNKED, "zz\r\nhello\r\n0\r\n\r\n"),
        (CHUNKED, "\r\nhello\r\n0\r\n\r\n"),
        (CHUNKED, "5\nhello\r\n0\r\n\r\n"),
        (CHUNKED, "3\r\nhello\r\n0\r\n\r\n"),
        (CHUNKED, "5;" + "x" * 9000 + "\r\nhello\r\n0\r\n\r\n"),
        (CHUNKED, "0\r\n" + "a: b\r\n" * 200 + "\r\n"),
        ("Content-Length: 2\r\nContent-Length: 3\r\n", "{}"),
        ("Content-Length: 2, 2\r\n", "{}"),
        ("Content-Length: -2\r\n", "{}"),
        ("Content-Length: +2\r\n", "{}"),
        ("Content-Length: \u0662\r\n", "{}"),
        ("Content-Length: 2 2\r\n", "{}"),
        ("Content-Length:\r\n", "{}"),
        ("Content-Length: 2\r\n" + CHUNKED, "2\r\n{}\r\n0\r\n\r\n"),
        ("Transfer-Encoding: gzip, chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked, chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"),
        (CHUNKED + CHUNKED, "2\r\n{}\r\n0\r\n\r\n"),
        ("Transfer-Encoding: identity\r\n", "{}"),
        ("Transfer-Encoding: xchunked\r\n", "{}"),
        ("Transfer-Encoding:\r\n", "{}"),
        ("Transfer-Encoding: identity\r\nContent-Length: 2\r\n", "{}"),
        ("Transfer-Encoding : chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"),
        ("nonsense\r\nContent-Length: 2\r\n", "{}"),
        ("Host: evil.example\r\n", ""),
    ],
)
def test_an_ambiguous_body_is_refused_and_the_connection_closed(start, lines, body):
    """What follows must not be taken for a request."""
    server = start()
    head = f"POST /oauth/token HTTP/1.1\r\nHost: 127.0.0.1:{server.server_address[1]}\r\n{lines}\r\n"
    received = talk(server, (head + body).encode() + SMUGGLED)
    assert received.startswith(b"HTTP/1.1 400 ")
    assert received.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    ("lines", "body"),
    [
        ("transfer-encoding: Chunked\r\n", "1\r\nx\r\n1;name=value\r\nx\r\n0\r\nTrailer: x\r\n\r\n"),
        (CHUNKED, "000002\r\nxx\r\n0\r\n\r\n"),
        ("Content-Length: 2\r\nContent-Length: 2\r\n", "xx"),
    ],
)
def test_a_clear_body_is_read_to_its_end(start, lines, body):
    """The next request on the connection is answered too."""
    server = start()
    host = f"Host: 127.0.0.1:{server.server_address[1]}\r\n"
    following = f"GET /version HTTP/1.1\r\n{host}Connection: close\r\n\r\n"
    received = talk(server, f"POST /oauth/token HTTP/1.1\r\n{host}{lines}\r\n{body}{following}".encode())
    assert received.count(b"HTTP/1.1 ") == 2
    assert b"HTTP/1.1 200 " in received and b"HTTP/1.1 400 " not in received.partition(b"HTTP/1.1 200")[2]


def test_chunks_that_are_too_large_together_are_refused(start):
    """Each of them would be small enough."""
    server = start()
    head = f"POST /x HTTP/1.1\r\nHost: 127.0.0.1:{server.server_address[1]}\r\n{CHUNKED}\r\n".encode()
    chunk = b"f00000\r\n" + b"x" * 0xF00000 + b"\r\n"
    with socket.create_connection(server.server_address, timeout=PATIENCE) as connection:
        connection.sendall(head + chunk + b"f00000\r\n")
        assert everything(connection).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("sent", [b"", b"POST /x HT", b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"])
def test_a_request_that_does_not_arrive_in_time_is_dropped(start, sent):
    """The connection is closed; nothing is carried out."""
    assert talk(start(Impatient), sent) == b""


def test_a_request_that_arrives_byte_by_byte_is_dropped(start):
    """The time is for the whole request: a time-out of each read would never end."""
    server = start(Impatient)
    stop = threading.Event()
    with socket.create_connection(server.server_address, timeout=PATIENCE) as connection:

        def drip():
            try:
                while not stop.wait(0.02):
                    connection.sendall(b"x")
            except OSError:
                pass

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            assert everything(connection) == b""
        finally:
            stop.set()
            thread.join(PATIENCE)


def test_an_idle_connection_is_closed_after_a_while(start):
    server = start(Impatient)
    head = f"GET /version HTTP/1.1\r\nHost: 127.0.0.1:{server.server_address[1]}\r\n\r\n"
    assert talk(server, head.encode()).startswith(b"HTTP/1.1 200 ")


def test_a_stream_outlasts_every_time_out(start):
    """Its client has nothing to send."""
    server = start(Impatient)
    head = f"GET /simulator/live HTTP/1.1\r\nHost: 127.0.0.1:{server.server_address[1]}\r\n\r\n"
    with socket.create_connection(server.server_address, timeout=PATIENCE) as connection:
        connection.sendall(head.encode())
        received = connection.recv(65536)
        for _ in range(4):
            threading.Event().wait(0.2)
            server.api.set_price("ch.vs1.large-ord", None)
            received = connection.recv(65536)
            assert received


def test_connections_beyond_the_limit_are_refused(start):
    """They take no thread, and one that ends makes room for another."""

    class Small(Server):
        most_connections = 3

    server = start(Small)
    before = threading.active_count()
    with ExitStack() as stack:
        held = [
            stack.enter_context(socket.create_connection(server.server_address, timeout=PATIENCE)) for _ in range(3)
        ]
        for connection in held:
            host = f"Host: 127.0.0.1:{server.server_address[1]}\r\n"
            connection.sendall(f"GET /version HTTP/1.1\r\n{host}\r\n".encode())
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        for _ in range(20):
            with closing(socket.create_connection(server.server_address, timeout=PATIENCE)) as connection:
                assert everything(connection).startswith(b"HTTP/1.1 503 ")
        assert threading.active_count() <= before + 3
        held[0].close()
        while talk(server, b"GET /version HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 503 "):
            pass


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:x/",
        "http://127.0.0.1:1/ \r\nx",
        "http://\u2100.x/",
        "",
    ],
)
def test_an_invalid_webhook_does_not_stop_the_sender(capsys, url):
    """It is reported as a failed delivery, and without the URL, which may contain a secret."""
    world = World(clock=ManualClock())
    world.notices.append(Notice(url, {}))
    assert WebhookSender(world).deliver() == 0
    world.close()
    reported = capsys.readouterr().err
    assert "not notified" in reported
    assert not url or url not in reported


def test_a_failed_command_leaves_the_server_running(start):
    """Numbers that no clock can hold, and documents that no parser can."""
    server = start()
    for body in ('{"seconds": 1e300}', '{"seconds": 99999999999999}', "[" * 100_000):
        assert request(server, "POST", "/simulator/advance", JSON, body=body)[0] == 400
    status, body = request(server, "GET", "/simulator/clock")
    assert (status, json.loads(body)["scale"]) == (200, 0.0)
