"""WebhookRegistrar: a registrar that is a URL. Questions are posted as JSON, signed as Standard Webhooks has it.

answer                          what it means
2xx with a JSON object          the answer
2xx with anything else          unanswered: it may have done what it was asked
3xx                             refused: a redirect could lead the signed question anywhere
4xx                             refused, with what it says
408, 5xx, none, too long        unanswered
no connection, bad certificate  it was not asked
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable
from contextlib import suppress

from rsspot.constants import USER_AGENT
from rsspot.errors import OutcomeUnknown
from rsspot.http.bodies import WholeBodies
from rsspot.http.pool import Connections
from rsspot.services.registrations.registrars.complaints import complaint
from rsspot.services.registrations.registrars.protocol import (
    MOST_OUTPUT,
    Question,
    RegistrarFailed,
    RegistrarSilent,
    answer_of,
    no_answer_in,
)
from rsspot.utils.clock import Clock, SystemClock
from rsspot.utils.serialization import Document
from rsspot.wire import httpx

PREFIX = "whsec_"
"""What a secret begins with whose rest is the base64 of the key."""
REQUEST_TIMEOUT = 408
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
"""Failures before anything was sent."""


class WebhookRegistrar:
    """A registrar that is a URL. connect: makes the connections, which check certificates unless it says otherwise"""

    def __init__(
        self,
        url: str,
        secret: str,
        *,
        connect: Callable[[], httpx.AsyncBaseTransport] = Connections,
        clock: Clock | None = None,
    ) -> None:
        self._url = url
        self._secret = secret
        self._connect = connect
        self._clock = clock or SystemClock()

    async def ask(self, question: Question) -> Document:
        """See `RegistrarClient`."""
        if not self._secret:
            raise RegistrarFailed(f"the registrar {self._url} has no secret to sign questions with")
        connections = WholeBodies(self._connect(), MOST_OUTPUT, self._clock)
        try:
            async with asyncio.timeout(question.timeout):
                response = await connections.handle_async_request(self._request(question))
        except TimeoutError:
            raise no_answer_in(self._url, question.timeout) from None
        except NOT_SENT as error:
            raise RegistrarFailed(f"cannot reach the registrar {self._url}: {error}") from None
        except (httpx.HTTPError, OutcomeUnknown) as error:
            raise RegistrarSilent(f"the registrar {self._url} gave no answer: {error}") from None
        finally:
            await connections.aclose()
        return self._answer(response)

    def _request(self, question: Question) -> httpx.Request:
        body = json.dumps(question.message).encode()
        timestamp = str(int(self._clock.now().timestamp()))
        headers = {
            "User-Agent": USER_AGENT,
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
            "Idempotency-Key": question.idempotency_key,
            "webhook-id": question.idempotency_key,
            "webhook-timestamp": timestamp,
            "webhook-signature": signature(self._secret, question.idempotency_key, timestamp, body),
        }
        timeout = dict.fromkeys(("connect", "read", "write", "pool"), question.timeout)
        return httpx.Request("POST", self._url, headers=headers, content=body, extensions={"timeout": timeout})

    def _answer(self, response: httpx.Response) -> Document:
        if response.is_success:
            return answer_of(self._url, response.content)
        if response.is_redirect:
            raise RegistrarFailed(f"the registrar {self._url} redirected elsewhere, which is not followed")
        said = complaint(response.text, [self._secret])
        message = f"the registrar {self._url} answered {response.status_code}: {said}"
        if response.is_client_error and response.status_code != REQUEST_TIMEOUT:
            raise RegistrarFailed(message)
        raise RegistrarSilent(message)


def signature(secret: str, identity: str, timestamp: str, body: bytes) -> str:
    """The signature of a request: `v1,` and the base64 of an HMAC-SHA256 over its identity, time and body."""
    signed = f"{identity}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256)).decode()


def _key(secret: str) -> bytes:
    if secret.startswith(PREFIX):
        with suppress(binascii.Error):
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    return secret.encode()
