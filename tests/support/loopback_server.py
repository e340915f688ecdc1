"""A simulated service on loopback that records every request and can be told to answer some differently."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from rsspot.simulator.accounts.people import Tenant
from rsspot.simulator.api import Api
from rsspot.simulator.apiserver.messages import Request, Response
from rsspot.simulator.clock import ManualClock
from rsspot.simulator.front.server import Server
from rsspot.simulator.world import World

STAGING = Tenant("org_Staging00000001", "staging", "staging-refresh-token")
PROD = Tenant("org_Production00001", "prod", "prod-refresh-token")
Answer = Callable[[Request], Response | None]
REGION = "us-central-dfw-1"
SPEC = {"region": REGION, "kubernetesVersion": "1.31.1"}


class Quiet(Server):
    """A server that does not report closed client connections."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Such errors are expected."""


class Loopback(Api):
    """A served world. requests: all requests in order · answers: functions tried first; None passes on."""

    def __init__(self, **options: Any) -> None:
        self.clock = ManualClock()
        super().__init__(World(clock=self.clock, wall=time.time, **options))
        self.requests: list[Request] = []
        self.answers: list[Answer] = []
        self._server = Quiet(self)
        self.url = self._server.url
        serve = {"poll_interval": 0.01}
        threading.Thread(target=self._server.serve_forever, kwargs=serve, daemon=True).start()

    def handle(self, request: Request) -> Response:
        self.requests.append(request)
        for answer in self.answers:
            if (response := answer(request)) is not None:
                return response
        return super().handle(request)

    def answer(self, pattern: str, *responses: Response) -> None:
        """Use these responses in turn for requests that match a pattern such as `GET /apis/.*/regions$`."""
        waiting = list(responses)

        def scripted(request: Request) -> Response | None:
            return waiting.pop(0) if waiting and re.search(pattern, f"{request.method} {request.path}") else None

        self.answers.append(scripted)

    def sent(self, pattern: str = ".") -> list[str]:
        """The requests so far that match a pattern, as `GET /path`."""
        lines = (f"{each.method} {each.path}" for each in list(self.requests))
        return [line for line in lines if re.search(pattern, line)]

    def writes(self) -> list[str]:
        """The write requests so far."""
        return self.sent("^(POST|PATCH|PUT|DELETE) /apis")

    def profile(self, organization: Tenant | None = None, **more: Any) -> dict[str, Any]:
        """The config-file profile of an account of this service."""
        organization = organization or self.world.organizations[0]
        urls = {"baseUrl": self.url, "oauthUrl": self.url, "feedsUrl": self.url}
        return {**urls, "org": organization.name, "refreshToken": organization.refresh_token, **more}

    def options(self, **more: Any) -> dict[str, Any]:
        """Client options for an account of this service."""
        profile = self.profile()
        urls = {"base_url": self.url, "oauth_url": self.url}
        return {**urls, "organization": profile["org"], "refresh_token": profile["refreshToken"], **more}

    def make(self, plural: str, name: str, spec: dict[str, Any], organization: Tenant | None = None) -> None:
        """Put an object into the world, bypassing its rules."""
        namespace = (organization or self.world.organizations[0]).namespace
        metadata = {"name": name, "namespace": namespace, "uid": f"uid-{name}", "generation": 1}
        metadata |= {"labels": {}, "annotations": {}, "creationTimestamp": "2026-01-01T00:00:00Z"}
        with self.world.lock:
            kind = self.world.definitions[plural].kind
            body = {"apiVersion": "ngpc.rxt.io/v1", "kind": kind, "metadata": metadata, "spec": spec}
            self.world.store.put(plural, body)

    def names(self, plural: str) -> list[str]:
        """The names of the objects in the world that are not being deleted."""
        with self.world.lock:
            objects = self.world.store.objects(plural)
        return [each["metadata"]["name"] for each in objects if not each["metadata"].get("deletionTimestamp")]

    def close(self) -> None:
        """Stop the server. A request that its client gave up on may still be running."""
        self._server.close()
        with self.world.lock:
            self.world.close()


def failure(code: int, message: str = "no", **headers: str) -> Response:
    """A Kubernetes Status failure."""
    return Response.of_json(code, {"kind": "Status", "code": code, "message": message}, headers)


def query(path: Path, sql: str) -> list[Any]:
    """The rows of an SQL query on a database file, without using rsspot's code."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def write_config(path: Path, document: dict[str, Any]) -> None:
    """Write a config file. JSON is valid YAML."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    path.chmod(0o600)


class Ended:
    """The result of a finished command."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def __repr__(self) -> str:
        return f"exit code {self.code}\n{self.out}\n{self.err}"

    @property
    def json(self) -> Any:
        """The output, parsed."""
        return json.loads(self.out)
