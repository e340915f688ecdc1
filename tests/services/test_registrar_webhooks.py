"""A registrar that is a URL: how questions are signed, and which answers count."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator

import pytest

from rsspot.client.async_client import AsyncSpotClient
from rsspot.resources.registry import kinds
from rsspot.services.registrations.registrars.protocol import Question, RegistrarFailed, RegistrarSilent
from rsspot.services.registrations.registrars.webhook import WebhookRegistrar
from rsspot.utils.serialization import Document
from support.webhook_server import Receiver, receiving

SECRET = "canary-4711-secret-key"
MESSAGE = {"ask": "submit", "idempotencyKey": "key-1"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver on loopback."""
    with receiving() as opened:
        yield opened


async def ask(receiver: Receiver, secret: str = SECRET, timeout: float = 20) -> Document:
    """What the receiver answers."""
    return await WebhookRegistrar(receiver.url, secret).ask(Question(MESSAGE, "key-1", timeout))


def expected(key: bytes, headers: dict[str, str], body: bytes) -> str:
    """The signature as a receiver computes it, by the text of the standard."""
    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


async def test_a_question_is_signed_and_named(receiver: Receiver) -> None:
    """Over its identity, its time and its body."""
    receiver.body = b'{"tokenId": "t1"}'
    assert await ask(receiver) == {"tokenId": "t1"}
    ((headers, body),) = receiver.received
    assert json.loads(body) == MESSAGE
    assert headers["idempotency-key"] == headers["webhook-id"] == "key-1"
    assert headers["content-type"] == "application/json"
    assert headers["webhook-signature"] == expected(SECRET.encode(), headers, body)


async def test_a_secret_may_be_written_as_the_standard_has_it(receiver: Receiver) -> None:
    """With its prefix, and in base64."""
    await ask(receiver, "whsec_" + base64.b64encode(b"sixteen bytes...").decode())
    ((headers, body),) = receiver.received
    assert headers["webhook-signature"] == expected(b"sixteen bytes...", headers, body)


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 429, 301, 302, 307, 308])
async def test_a_refusal_is_an_answer(receiver: Receiver, status: int) -> None:
    """A redirect is one too: a signed question goes nowhere else."""
    with receiving() as elsewhere:
        receiver.status, receiver.headers = status, {"Location": elsewhere.url}
        with pytest.raises(RegistrarFailed) as caught:
            await ask(receiver)
        assert elsewhere.received == []
    assert not isinstance(caught.value, RegistrarSilent)
    assert len(receiver.received) == 1


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
async def test_an_error_of_the_receiver_is_no_answer(receiver: Receiver, status: int) -> None:
    """It may have done what it was asked; it is not simply sent again."""
    receiver.status, receiver.body = status, b"down: " + SECRET.encode()
    with pytest.raises(RegistrarSilent, match=f"answered {status}: down") as caught:
        await ask(receiver)
    assert "canary" not in caught.value.message
    assert len(receiver.received) == 1


@pytest.mark.parametrize("body", [b"", b"hello", b"[]", b'"text"', b"\xff"])
async def test_a_success_without_a_json_object_is_no_answer(receiver: Receiver, body: bytes) -> None:
    """What it did is not known."""
    receiver.body = body
    with pytest.raises(RegistrarSilent, match="did not print a JSON object"):
        await ask(receiver)


async def test_an_answer_without_end_is_cut_off(receiver: Receiver) -> None:
    """Whatever its length says."""
    receiver.body = b" " * 1_100_000
    with pytest.raises(RegistrarSilent, match="longer than 1048576 bytes"):
        await ask(receiver)


async def test_a_receiver_that_hangs_has_the_timeout(receiver: Receiver) -> None:
    """And no longer."""
    receiver.answers.clear()
    with pytest.raises(RegistrarSilent, match="did not answer"):
        await ask(receiver, timeout=0.2)


async def test_a_receiver_that_is_not_there_was_not_asked() -> None:
    """Nor is one whose certificate nobody can check."""
    with receiving() as closed:
        pass
    with pytest.raises(RegistrarFailed, match="cannot reach the registrar") as caught:
        await ask(closed)
    assert not isinstance(caught.value, RegistrarSilent)


async def test_plain_http_where_tls_is_expected_was_not_asked(receiver: Receiver) -> None:
    """The handshake comes before the question."""
    webhook = WebhookRegistrar(receiver.url.replace("http:", "https:"), SECRET)
    with pytest.raises(RegistrarFailed, match="cannot reach the registrar"):
        await webhook.ask(Question(MESSAGE, "key-1", 20))
    assert receiver.received == []


async def test_without_a_secret_nothing_is_sent(receiver: Receiver) -> None:
    """The receiver could not tell it from anybody else's."""
    with pytest.raises(RegistrarFailed, match="has no secret"):
        await ask(receiver, "")
    assert receiver.received == []


async def test_the_secret_is_not_kept(spot_client: AsyncSpotClient, receiver: Receiver) -> None:
    """Neither in the ledger nor in what is listed."""
    receiver.body = b'{"tokenId": "t1"}'
    webhook = {"url": receiver.url, "secret": SECRET}
    spec = {"vmCloudSpace": "vms", "vmUid": "u1", "vmName": "vm-1", "omniCluster": "omni"}
    async with spot_client as client:
        verbs = client.documents(kinds()["VMRegistration"])
        made = await verbs.create({"metadata": {"name": "key"}, "spec": {**spec, "registrar": {"webhook": webhook}}})
        assert made["spec"]["registrar"] == {"webhook": {"url": receiver.url}}
        assert "canary" not in str(
            [*await verbs.list(), *client.ledger.registrations(), *client.ledger.questions("key")]
        )
    assert [json.loads(body)["ask"] for _, body in receiver.received] == ["issue_token", "submit", "confirm"]
