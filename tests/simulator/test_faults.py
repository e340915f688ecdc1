"""Scripted faults: their syntax, which requests they hit and how often, and what happens to a request."""

import http.client
import json
import re
import socket
import time
from urllib.parse import urlsplit

import httpx
import pytest

from rsspot.errors import UsageError
from rsspot.simulator.apiserver.messages import Request
from rsspot.simulator.faults import Fault, Faults, fault_of, faults_from
from rsspot.simulator.front.dispatch import carry
from support.caller import Caller

POOL = "0a6e2c1e-7a53-5c5e-9d7c-0f4a0a4b9a01"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("503", {"what": "status", "status": 503, "times": 1, "method": ".*", "path": ".*"}),
        ("POST spotnodepools: reset-after", {"what": "reset-after", "method": "POST", "path": "spotnodepools"}),
        ("GET|HEAD *: latency 0.2..2 always", {"what": "latency", "seconds": (0.2, 2.0), "times": None, "path": ".*"}),
        ("latency 1", {"seconds": (1.0, 1.0)}),
        ("PATCH: 429 retry-after 2 x3 after 1 p 0.5", {"retry_after": 2, "times": 3, "skip": 1, "chance": 0.5}),
        ("GET: truncate 100", {"what": "truncate", "amount": 100}),
        ("GET: stale", {"what": "stale", "amount": 1}),
        ("GET: huge 2 always", {"what": "huge", "amount": 2, "times": None}),
        ("cloudspaces/prod: stuck always", {"what": "stuck", "path": "cloudspaces/prod"}),
        ("POST: price gp.vs1.large-dfw 0.09", {"subject": "gp.vs1.large-dfw", "price": "0.090000"}),
    ],
)
def test_the_text_of_a_fault_is_parsed(words, expected):
    """Each field of a fault can be set."""
    fault = fault_of(words)
    assert {name: getattr(fault, name) for name in expected} == expected


@pytest.mark.parametrize(
    "words",
    [
        "",
        ":",
        "GET",
        "GET x y: 503",
        "explode",
        "503 sometimes",
        "latency",
        "latency soon",
        "p 0.5",
        "(: 503",
        "price a",
        "price a b",
        "503 after",
        "503 x",
        "GET: 200",
    ],
)
def test_an_invalid_fault_is_refused(words):
    """The hint shows the grammar or the kinds of faults."""
    with pytest.raises(UsageError) as refused:
        fault_of(words)
    assert refused.value.hint


def test_a_faults_file_is_a_yaml_list(tmp_path):
    """Other YAML is refused."""
    file = tmp_path / "faults.yaml"
    file.write_text("- POST: reset-before\n- 'GET: 503 x2'\n- 429\n", encoding="utf-8")
    assert [str(each) for each in faults_from(file)] == ["POST: reset-before", "GET: 503 x2", "429"]
    file.write_text("{}", encoding="utf-8")
    with pytest.raises(UsageError, match="list of faults"):
        faults_from(file)


def request(method="GET", path="/apis/ngpc.rxt.io/v1/regions"):
    return Request(method, path)


def test_a_fault_can_skip_requests_and_hit_several():
    """`after 1 x2` hits the second and the third request."""
    faults = Faults([fault_of("GET: 503 after 1 x2")])
    assert [bool(faults.hit(request())) for _ in range(5)] == [False, True, True, False, False]
    assert str(faults.script[0]) == "GET: 503 after 1 x2 (used up)"


def test_latencies_add_up_but_only_one_failure_applies():
    """The second failure applies to the next request."""
    faults = Faults([fault_of("latency 1"), fault_of("503"), fault_of("latency 2..3"), fault_of("429")])
    hit = faults.hit(request())
    assert [each.what for each in hit] == ["latency", "status", "latency"]
    assert 3.0 <= faults.delay(hit) <= 4.0
    assert [each.status for each in faults.hit(request())] == [429]


def test_random_faults_follow_the_seed():
    """About one request in four is hit. The same seed hits the same ones, and another seed others."""

    def hits(seed):
        faults = Faults([fault_of("503 always p 0.25")], seed)
        return [bool(faults.hit(request())) for _ in range(400)]

    assert hits(1) == hits(1) != hits(2)
    assert 60 < sum(hits(1)) < 140


def test_an_unknown_fault_is_refused_in_python_too():
    with pytest.raises(UsageError, match="explode"):
        Faults().add("explode")


def test_a_stale_read_does_not_see_the_latest_writes(tenant):
    """This holds for a get and a list; the next read sees them."""
    tenant.cloudspace()
    tenant.patch("cloudspaces", "prod", {"metadata": {"labels": {"a": "b"}}})
    ask = {"Authorization": f"Bearer {tenant.bearer}"}
    tenant.api.faults.say("GET: stale 1 x2")
    carried = [carry(tenant.api, Request.of("GET", tenant.path("cloudspaces", "prod"), ask, b"")) for _ in range(1)]
    assert "labels" not in json.loads(carried[0].response.body)["metadata"]
    listed = carry(tenant.api, Request.of("GET", tenant.path("cloudspaces"), ask, b""))
    assert "labels" not in json.loads(listed.response.body)["items"][0]["metadata"]
    assert tenant.get("cloudspaces", "prod").said["metadata"]["labels"] == {"a": "b"}


def test_a_stuck_status_does_not_change(tenant):
    """The status of another pool does, and that of the stuck one once the fault is cleared."""
    tenant.api.faults.say(f"spotnodepools/{POOL}: stuck always")
    tenant.cloudspace()
    tenant.pool(POOL)
    tenant.pool(POOL.replace("9a01", "9a02"))
    tenant.spot.advance(120)
    assert "status" not in tenant.get("spotnodepools", POOL).said
    assert tenant.get("spotnodepools", POOL.replace("9a01", "9a02")).said["status"]["bidStatus"] == "Fulfilled"
    tenant.api.faults.clear()
    tenant.spot.advance(60)
    assert tenant.get("spotnodepools", POOL).said["status"]["bidStatus"] == "Fulfilled"


def test_a_price_can_change_just_before_a_request(tenant):
    """A bid that was high enough before is refused."""
    tenant.cloudspace()
    body = {"apiVersion": "ngpc.rxt.io/v1", "kind": "SpotNodePool", "metadata": {"name": POOL}}
    spec = {"serverClass": "ch.vs1.large-ord", "cloudSpace": "prod", "desired": 1, "bidPrice": "0.02"}
    tenant.api.faults.say("POST spotnodepools: price ch.vs1.large-ord 0.09")
    headers = {"Authorization": f"Bearer {tenant.bearer}", "Content-Type": "application/json"}
    sent = Request.of("POST", tenant.path("spotnodepools"), headers, json.dumps({**body, "spec": spec}).encode())
    result = json.loads(carry(tenant.api, sent).response.body)
    assert "the market price of 0.090000, but got 0.020000" in result["message"]


# Over HTTP


def raw(caller, path, token=None):
    """Send a GET; returns the bytes received and how it ended: "open" after a complete body, "closed" or "reset"."""
    parts = urlsplit(caller.about["base_url"])
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as line:
        head = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token or caller.token}\r\n\r\n"
        line.sendall(head.encode())
        received = b""
        try:
            while chunk := line.recv(65536):
                received += chunk
                head, _, body = received.partition(b"\r\n\r\n")
                promised = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
                if promised and len(body) >= int(promised[1]):
                    return received, "open"
        except ConnectionResetError:
            return received, "reset"
    return received, "closed"


def test_a_reset_is_a_real_connection_reset(serve):
    """There is no response. With reset-after the object exists nevertheless."""
    caller = Caller(serve("--fault", "GET regions: reset-before", "--fault", "POST cloudspaces: reset-after")[1])
    assert raw(caller, "/apis/ngpc.rxt.io/v1/regions") == (b"", "reset")
    with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected, OSError)):
        caller.create("prod")
    assert caller.ask("GET", f"{caller.cloudspaces}/prod")[0] == 200


def test_a_truncated_body_ends_early(serve):
    """The connection is reset before Content-Length bytes have arrived."""
    caller = Caller(serve("--fault", "GET regions: truncate 50")[1])
    received, end = raw(caller, "/apis/ngpc.rxt.io/v1/regions")
    head, _, body = received.partition(b"\r\n\r\n")
    assert (len(body), end) == (50, "reset")
    assert int(dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])[b"Content-Length"]) > 1000


def test_errors_and_latencies_over_http(serve):
    """A 429 with Retry-After, then a delayed 200."""
    caller = Caller(
        serve("--fault", "GET regions: 429 retry-after 7", "--fault", "GET regions: latency 0.5 after 1")[1]
    )
    url = f"{caller.about['base_url']}/apis/ngpc.rxt.io/v1/regions"
    headers = {"Authorization": f"Bearer {caller.token}"}
    refused = httpx.get(url, headers=headers)
    assert (refused.status_code, refused.headers["retry-after"], refused.json()["reason"]) == (
        429,
        "7",
        "TooManyRequests",
    )
    began = time.monotonic()
    assert httpx.get(url, headers=headers).status_code == 200
    assert time.monotonic() - began >= 0.5


def test_a_huge_body_is_still_valid(serve):
    """It is padded with white space before the document."""
    caller = Caller(serve("--fault", "GET regions: huge 3")[1])
    headers = {"Authorization": f"Bearer {caller.token}"}
    answer = httpx.get(f"{caller.about['base_url']}/apis/ngpc.rxt.io/v1/regions", headers=headers)
    assert len(answer.content) > 3 * 1024 * 1024
    assert answer.json()["kind"] == "RegionList"


def test_a_401_is_plain_text(serve):
    """As from the gateway."""
    caller = Caller(serve("--fault", "GET regions: 401")[1])
    received, _ = raw(caller, "/apis/ngpc.rxt.io/v1/regions")
    assert received.startswith(b"HTTP/1.1 401") and received.endswith(b"Jwt verification fails")


async def test_faults_work_in_process_too(spot_api, spot_client):
    """A latency beyond the timeout is a ReadTimeout, and truncation and reset are protocol and read errors."""
    transport = spot_api.transport
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=5) as client:
        spot_api.faults.say("GET healthz: latency 60")
        with pytest.raises(httpx.ReadTimeout):
            await client.get("/healthz")
        spot_api.faults.say("GET healthz: truncate 1")
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/healthz")
        spot_api.faults.say("GET healthz: reset-before")
        with pytest.raises(httpx.ReadError):
            await client.get("/healthz")
        assert (await client.get("/healthz")).text == "ok"


def test_a_fault_can_be_constructed_from_its_fields():
    """Without the text form."""
    fault = Fault("status", "GET", "/regions$", skip=1, times=2, status=410)
    assert not fault.hits(request(), 0.0) and fault.hits(request(), 0.0)
    assert fault.answer().status == 410
