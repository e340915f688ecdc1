#!/usr/bin/env python3
"""A registrar for Omni behind an HTTP API with join tokens. Needs Python 3.11 and nothing else.

As a program, it reads one question from stdin and prints the answer:

    registrar: {exec: [./omni.py], find: true}

As a function of an installed package, it is called with the question:

    registrar: {entryPoint: "our_platform.omni:answer", find: true}

It takes its endpoint and its key from the environment, since a command line is shown in plans:

    OMNI_ENDPOINT             https://omni.example.com
    OMNI_SERVICE_ACCOUNT_KEY  sent as the bearer token

and expects of the endpoint:

    POST /api/v1/jointokens       {"name", "expiresInSeconds"}              -> {"id", "expiresAt"}
    POST /api/v1/machines         {"id", "cluster", "joinToken", "address"} -> {}
    GET  /api/v1/machines/{id}    -> {"cluster", "connected"}, or 404

Requests that change something carry the `Idempotency-Key` of the question: an endpoint that has executed a request
answers the same again. An endpoint without such keys has to be asked first, as `find` does here.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import HTTPRedirectHandler, Request, build_opener

TOKEN_SECONDS = 3600
JOIN_SECONDS = 40
"""How long `confirm` waits for a machine to join: less than `timeoutSeconds`."""
REQUEST_SECONDS = 15
NO_ANSWER = 75
"""The exit code (EX_TEMPFAIL) for a request that may or may not have been executed."""


class NotFollowed(HTTPRedirectHandler):
    """A redirect could lead the key anywhere."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none."""


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """The answer to one question about one machine."""
    return ANSWERS[question["ask"]](question)


def find(question: dict[str, Any]) -> dict[str, Any]:
    """Whether the machine is registered already, also by somebody else."""
    return {"registered": _is_connected(question)}


def issue_token(question: dict[str, Any]) -> dict[str, Any]:
    """A join token for the machine. Its id is on record; the token itself stays with Omni."""
    body = {"name": question["registrationKey"], "expiresInSeconds": TOKEN_SECONDS}
    token = _request("POST", "jointokens", body, question["idempotencyKey"])
    return {"tokenId": token["id"], "tokenExpiresAt": token["expiresAt"]}


def submit(question: dict[str, Any]) -> dict[str, Any]:
    """Tell Omni about the machine, so that it may join with the token."""
    machine = question["vm"]
    body = {
        "id": machine["uid"],
        "name": machine["name"],
        "cluster": question["omniCluster"],
        "joinToken": question["tokenId"],
        "address": machine["ipAddress"],
    }
    _request("POST", "machines", body, question["idempotencyKey"])
    return {}


def confirm(question: dict[str, Any]) -> dict[str, Any]:
    """Wait until the machine has joined."""
    until = time.monotonic() + JOIN_SECONDS
    while not _is_connected(question):
        if time.monotonic() > until:
            raise RuntimeError(f"the machine has not joined within {JOIN_SECONDS} s")
        time.sleep(1)
    return {}


ANSWERS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "find": find,
    "issue_token": issue_token,
    "submit": submit,
    "confirm": confirm,
}


def _is_connected(question: dict[str, Any]) -> bool:
    machine = _request("GET", f"machines/{quote(question['vm']['uid'], safe='')}")
    return machine.get("connected") is True and machine.get("cluster") == question["omniCluster"]


def _request(method: str, path: str, body: dict[str, Any] | None = None, key: str | None = None) -> dict[str, Any]:
    """The answer of the endpoint; {} for an object that it does not have."""
    request = Request(
        f"{os.environ['OMNI_ENDPOINT'].rstrip('/')}/api/v1/{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {os.environ['OMNI_SERVICE_ACCOUNT_KEY']}",
            "Content-Type": "application/json",
            **({"Idempotency-Key": key} if key else {}),
        },
        method=method,
    )
    try:
        with build_opener(NotFollowed).open(request, timeout=REQUEST_SECONDS) as response:
            answered: dict[str, Any] = json.load(response)
    except HTTPError as error:
        if error.code == 404 and method == "GET":
            return {}
        if error.code >= 500:
            raise ConnectionError(f"{method} {path}: {error.code} {error.reason}") from None
        raise RuntimeError(f"{method} {path}: {error.code} {error.read(200).decode(errors='replace')}") from None
    return answered


def main() -> None:
    """Answer the question on stdin."""
    try:
        print(json.dumps(answer(json.load(sys.stdin))))
    except OSError as error:
        print(error, file=sys.stderr)
        sys.exit(NO_ANSWER)
    except RuntimeError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
