"""Connections are reused and limited in number, and discarded after a failure."""

from __future__ import annotations

import asyncio
import gc
import ssl
import threading
import weakref
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest

from rsspot.auth.bearer import Bearer
from rsspot.auth.grants import Issuer
from rsspot.concurrency import drive
from rsspot.errors import OutcomeUnknown, TransportError
from rsspot.http.call import Call
from rsspot.http.pool import Connections
from rsspot.http.proxies import is_direct
from rsspot.http.retry import RetryPolicy
from rsspot.http.transport import SpotTransport, TransportOptions
from rsspot.simulator.clock import ManualClock
from rsspot.wire import httpx


class Handler(BaseHTTPRequestHandler):
    """Answers with the connection's number; /slow waits for the gate, /break closes the connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def setup(self) -> None:
        super().setup()
        with self.server.lock:
            self.server.connections += 1
            self.number = self.server.connections

    def do_GET(self) -> None:
        if self.path == "/break":
            self.close_connection = True
            return
        if self.path == "/slow":
            self.server.started.set()
            self.server.gate.wait(60)
        body = str(self.number).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def finish(self) -> None:
        super().finish()
        self.server.ended.set()

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


class Server(ThreadingHTTPServer):
    """Counts connections."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock, self.connections = threading.Lock(), 0
        self.gate, self.started, self.ended = threading.Event(), threading.Event(), threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def server() -> Iterator[Server]:
    served = Server()
    threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield served
    served.gate.set()
    served.shutdown()
    served.server_close()


def client(server: Server, most: int = 4, pool: float = 60) -> httpx.AsyncClient:
    """A client with this pool. pool: seconds a request waits for a connection."""
    return httpx.AsyncClient(
        base_url=server.url, transport=Connections(most=most), timeout=httpx.Timeout(60, pool=pool)
    )


async def test_sequential_requests_share_one_connection(server: Server) -> None:
    """Keep-alive works."""
    async with client(server) as http:
        assert {(await http.get("/")).text for _ in range(5)} == {"1"}


async def test_concurrent_requests_stay_within_the_connection_limit(server: Server) -> None:
    """The others wait and are answered too, however slow the machine is."""
    async with client(server) as http:
        answers = await asyncio.gather(*(http.get("/") for _ in range(20)))
    assert all(answer.status_code == 200 for answer in answers)
    assert server.connections <= 4


async def test_a_request_that_gets_no_connection_in_time_was_never_sent(server: Server) -> None:
    """It is distinguished from one that may have been executed."""
    async with client(server, most=1, pool=0.2) as http:
        slow = asyncio.create_task(http.get("/slow"))
        await asyncio.to_thread(server.started.wait, 60)
        with pytest.raises(httpx.PoolTimeout):
            await http.get("/")
        server.gate.set()
        assert (await slow).status_code == 200
        assert (await http.get("/")).status_code == 200


async def test_a_broken_connection_is_not_reused_and_frees_its_place(server: Server) -> None:
    """The limit on connections is not used up."""
    async with client(server, most=1) as http:
        for _ in range(3):
            with pytest.raises(httpx.RemoteProtocolError):
                await http.get("/break")
        assert (await http.get("/")).text == "4"


async def test_a_cancelled_request_frees_its_place(server: Server) -> None:
    """Otherwise later requests would wait forever."""
    async with client(server, most=1) as http:
        slow = asyncio.create_task(http.get("/slow"))
        await asyncio.to_thread(server.started.wait, 60)
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)
        assert (await http.get("/")).status_code == 200


async def test_closing_an_unread_response_frees_its_place(server: Server) -> None:
    """The body need not be read."""
    async with client(server, most=1) as http:
        async with http.stream("GET", "/"):
            pass
        assert (await http.get("/")).status_code == 200


# Threads and loops


def in_threads(*works: Callable[[], object]) -> list[object]:
    """The results of these functions, each run in its own thread, started together."""
    barrier, outcomes = threading.Barrier(len(works)), []

    def run(work: Callable[[], object]) -> None:
        barrier.wait(60)
        outcomes.append(work())

    threads = [threading.Thread(target=run, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(outcomes) == len(works)
    return outcomes


async def number(connections: Connections, url: str, pool: float = 60) -> str:
    """Send one request; returns the connection's number."""
    timeout = httpx.Timeout(60, pool=pool).as_dict()
    response = await connections.handle_async_request(httpx.Request("GET", url, extensions={"timeout": timeout}))
    body = await response.aread()
    await response.aclose()
    return body.decode()


def test_a_thread_without_a_loop_reuses_its_connection(server: Server) -> None:
    """Keep-alive works without an event loop too."""
    connections = Connections()
    assert {drive(number(connections, server.url)) for _ in range(5)} == {"1"}
    drive(connections.aclose())


def test_threads_share_connections_and_the_limit(server: Server) -> None:
    """A hundred requests from ten threads use at most four connections."""
    connections = Connections(most=4)

    def ten() -> list[str]:
        return [drive(number(connections, server.url)) for _ in range(10)]

    outcomes = in_threads(*[ten] * 10)
    assert sum(len(numbers) for numbers in outcomes) == 100
    assert server.connections <= 4
    drive(connections.aclose())


def test_a_thread_that_gets_no_connection_in_time_has_sent_nothing(server: Server) -> None:
    """Afterwards the connection is available again."""
    connections = Connections(most=1)

    def slow() -> str:
        return drive(number(connections, f"{server.url}/slow"))

    def hurried() -> str:
        assert server.started.wait(60)
        with pytest.raises(httpx.PoolTimeout):
            drive(number(connections, server.url, pool=0.05))
        server.gate.set()
        return ""

    in_threads(slow, hurried)
    assert drive(number(connections, server.url)) == "1"
    drive(connections.aclose())


def test_a_broken_connection_of_a_thread_frees_its_place(server: Server) -> None:
    """The next request gets another connection."""
    connections = Connections(most=1)
    for _ in range(3):
        with pytest.raises(httpx.RemoteProtocolError):
            drive(number(connections, f"{server.url}/break"))
    assert drive(number(connections, server.url)) == "4"
    drive(connections.aclose())


def test_each_loop_opens_its_own_connections(server: Server) -> None:
    """A connection of a closed loop would never respond."""
    connections = Connections()

    async def twice() -> set[str]:
        try:
            return {await number(connections, server.url) for _ in range(2)}
        finally:
            await connections.aclose()

    assert [asyncio.run(twice()) for _ in range(3)] == [{"1"}, {"2"}, {"3"}]


def test_loops_and_threads_never_share_a_connection(server: Server) -> None:
    """Two loops and two threads, all at once."""
    connections = Connections(most=2)

    async def many() -> set[str]:
        try:
            return set(await asyncio.gather(*(number(connections, server.url) for _ in range(20))))
        finally:
            await connections.aclose()

    def blocking() -> set[str]:
        return {drive(number(connections, server.url)) for _ in range(20)}

    def looping() -> tuple[str, set[str]]:
        return ("loop", asyncio.run(many()))

    outcomes = in_threads(looping, looping, blocking, blocking)
    first, second = (outcome[1] for outcome in outcomes if isinstance(outcome, tuple))
    of_threads = set().union(*(outcome for outcome in outcomes if isinstance(outcome, set)))
    assert not first & second
    assert not (first | second) & of_threads
    drive(connections.aclose())


@pytest.mark.parametrize("looping", [True, False])
def test_a_closed_pool_opens_connections_again_on_use(server: Server, looping: bool) -> None:
    """No socket stays open after a close, and the object remains usable."""
    connections = Connections()

    async def work() -> list[str]:
        numbers = [await number(connections, server.url)]
        await connections.aclose()
        assert await asyncio.to_thread(server.ended.wait, 60) if looping else server.ended.wait(60)
        numbers.append(await number(connections, server.url))
        await connections.aclose()
        await connections.aclose()
        return numbers

    assert (asyncio.run if looping else drive)(work()) == ["1", "2"]


# Connections that cannot be made


@pytest.mark.parametrize("looping", [True, False])
def test_a_connection_that_cannot_be_created_frees_its_place(looping: bool) -> None:
    """Later attempts fail like the first one, instead of waiting for a connection."""
    connections = Connections(proxy="nonsense://127.0.0.1", most=2)

    async def work() -> None:
        for _ in range(4):
            with pytest.raises(ValueError, match="scheme"):
                await number(connections, "https://127.0.0.1", pool=0.05)

    (asyncio.run if looping else drive)(work())


class Refusing(BaseHTTPRequestHandler):
    """A proxy that refuses every request and records it."""

    server: Stranger  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_CONNECT(self) -> None:
        self.server.received.append((self.requestline, dict(self.headers.items())))
        self.send_error(403)

    def do_GET(self) -> None:
        self.do_CONNECT()

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


class Stranger(ThreadingHTTPServer):
    """A server that must receive nothing confidential. received: what it received."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Refusing)
        self.received: list[tuple[str, dict[str, str]]] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """A failed handshake is expected."""

    def serving(self) -> Iterator[Stranger]:
        """Serve until the test ends."""
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield self
        self.shutdown()
        self.server_close()


@pytest.fixture
def proxy() -> Iterator[Stranger]:
    """A proxy on loopback."""
    yield from Stranger().serving()


def address(served: Stranger, scheme: str = "http") -> str:
    """Its URL."""
    return f"{scheme}://127.0.0.1:{served.server_address[1]}"


@pytest.mark.parametrize("looping", [True, False])
def test_a_proxy_sees_only_the_host_name(proxy: Stranger, looping: bool) -> None:
    """Requests to https addresses are tunneled: it sees no path and no header."""
    connections = Connections(proxy=address(proxy))
    request = httpx.Request("POST", "https://example.invalid/canary", headers={"Authorization": "canary"})

    async def work() -> None:
        with pytest.raises(httpx.ProxyError):
            await connections.handle_async_request(request)
        await connections.aclose()

    (asyncio.run if looping else drive)(work())
    ((line, headers),) = proxy.received
    assert line == "CONNECT example.invalid:443 HTTP/1.1"
    assert "canary" not in str(headers)


@pytest.mark.parametrize(
    ("no_proxy", "direct"),
    [
        ("*", True),
        ("spot.example", True),
        ("other.example, .spot.example", True),
        ("EXAMPLE", True),
        ("spot.example:8443", True),
        ("spot.example:8444", False),
        ("pot.example", False),
        ("other.example", False),
        ("", False),
        (" , ", False),
    ],
)
def test_some_hosts_are_reached_without_the_proxy(no_proxy: str, direct: bool) -> None:
    """As other programs read NO_PROXY."""
    assert is_direct(httpx.URL("https://api.spot.example:8443/"), no_proxy) is direct


async def test_a_proxy_is_not_used_for_plain_http(server: Server, proxy: Stranger) -> None:
    """Such as for a simulator on this machine."""
    connections = Connections(proxy=address(proxy))
    assert await number(connections, server.url) == "1"
    assert proxy.received == []
    await connections.aclose()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_request_refused_by_the_proxy_was_never_sent(proxy: Stranger, method: str) -> None:
    """A write certainly was not executed."""
    options = TransportOptions(proxy=address(proxy), policy=RetryPolicy(attempts=2))
    session = SpotTransport("https://example.invalid", None, ManualClock(), options=options)
    with pytest.raises(TransportError) as caught:
        await session.send(Call(method, "/x"))
    assert not isinstance(caught.value, OutcomeUnknown)
    assert len(proxy.received) == 2
    await session.aclose()


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator[Stranger]:
    """A TLS server with a self-signed certificate."""
    served = Stranger()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path / "impostor.pem"))
    served.socket = context.wrap_socket(served.socket, server_side=True, do_handshake_on_connect=False)
    yield from served.serving()


def self_signed(file: Path) -> Path:
    """A key and its self-signed certificate, in one file."""
    pytest.importorskip("cryptography")
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.mark.parametrize("looping", [True, False])
def test_certificates_are_verified(impostor: Stranger, looping: bool) -> None:
    """A self-signed server is refused."""
    connections = Connections()

    async def work() -> None:
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await number(connections, address(impostor, "https"))
        await connections.aclose()

    (asyncio.run if looping else drive)(work())


@pytest.mark.parametrize("looping", [True, False])
def test_a_plain_http_connection_is_never_used_for_https(server: Server, impostor: Stranger, looping: bool) -> None:
    """Not even after it has been used."""
    connections = Connections()

    async def work() -> None:
        assert await number(connections, server.url) == "1"
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await number(connections, address(impostor, "https"))
        assert await number(connections, server.url) == "1"
        await connections.aclose()

    (asyncio.run if looping else drive)(work())


async def test_the_login_service_is_verified_although_the_api_is_plain_http(impostor: Stranger) -> None:
    """The API may be reached over a tunnel; the refresh token must not go to an impostor."""
    clock, issuer = ManualClock(), Issuer(address(impostor, "https"), "tests")
    bearer = Bearer(base_url="http://127.0.0.1:1", issuer=issuer, clock=clock, refresh_token="canary")
    session = SpotTransport(
        "http://127.0.0.1:1", bearer, clock, options=TransportOptions(policy=RetryPolicy(attempts=1))
    )
    with pytest.raises(TransportError, match="CERTIFICATE_VERIFY_FAILED"):
        await session.send(Call("GET", "/x"))
    assert impostor.received == []
    await session.aclose()


def test_a_closed_loop_can_be_garbage_collected(server: Server) -> None:
    """Also if requests had to wait for a connection."""
    connections = Connections(most=1)
    loops: list[weakref.ref[asyncio.AbstractEventLoop]] = []

    async def crowded() -> None:
        loops.append(weakref.ref(asyncio.get_running_loop()))
        await asyncio.gather(*(number(connections, server.url) for _ in range(5)))
        await connections.aclose()

    for _ in range(3):
        asyncio.run(crowded())
    gc.collect()
    assert [loop() for loop in loops] == [None] * 3
