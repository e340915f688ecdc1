"""A simulated service on loopback that remembers every request and answers chosen ones otherwise."""

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
    """A server that says nothing of callers who went away."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """They meant to."""


class Loopback(Api):
    """A world, served. requests: all that came, in order; answers: asked first, and the world when they give None."""

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
            if (said := answer(request)) is not None:
                return said
        return super().handle(request)

    def answer(self, pattern: str, *responses: Response) -> None:
        """Give these answers, one after the other, to requests like `GET /apis/.*/regions$`."""
        waiting = list(responses)

        def said(request: Request) -> Response | None:
            return waiting.pop(0) if waiting and re.search(pattern, f"{request.method} {request.path}") else None

        self.answers.append(said)

    def sent(self, pattern: str = ".") -> list[str]:
        """The requests so far that are like this, as `GET /path`."""
        found = (f"{each.method} {each.path}" for each in list(self.requests))
        return [each for each in found if re.search(pattern, each)]

    def writes(self) -> list[str]:
        """The requests so far that could have changed something."""
        return self.sent("^(POST|PATCH|PUT|DELETE) /apis")

    def profile(self, organization: Tenant | None = None, **more: Any) -> dict[str, Any]:
        """What a config file says of an account here."""
        organization = organization or self.world.organizations[0]
        urls = {"baseUrl": self.url, "oauthUrl": self.url, "feedsUrl": self.url}
        return {**urls, "org": organization.name, "refreshToken": organization.refresh_token, **more}

    def options(self, **more: Any) -> dict[str, Any]:
        """What a client is told of an account here."""
        profile = self.profile()
        urls = {"base_url": self.url, "oauth_url": self.url}
        return {**urls, "organization": profile["org"], "refresh_token": profile["refreshToken"], **more}

    def make(self, plural: str, name: str, spec: dict[str, Any], organization: Tenant | None = None) -> None:
        """Put an object into the world, as it is."""
        namespace = (organization or self.world.organizations[0]).namespace
        metadata = {"name": name, "namespace": namespace, "uid": f"uid-{name}", "generation": 1}
        metadata |= {"labels": {}, "annotations": {}, "creationTimestamp": "2026-01-01T00:00:00Z"}
        with self.world.lock:
            kind = self.world.definitions[plural].kind
            body = {"apiVersion": "ngpc.rxt.io/v1", "kind": kind, "metadata": metadata, "spec": spec}
            self.world.store.put(plural, body)

    def names(self, plural: str) -> list[str]:
        """What lives in the world and is not on its way out."""
        with self.world.lock:
            found = self.world.store.objects(plural)
        return [each["metadata"]["name"] for each in found if not each["metadata"].get("deletionTimestamp")]

    def close(self) -> None:
        """Stop answering. A request that nobody waits for any more may still be at work."""
        self._server.close()
        with self.world.lock:
            self.world.close()


def failure(code: int, message: str = "no", **headers: str) -> Response:
    """A failure as Kubernetes tells it."""
    return Response.of_json(code, {"kind": "Status", "code": code, "message": message}, headers)


def query(path: Path, sql: str) -> list[Any]:
    """The rows of a query of a file, past everything that is ours."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def write_config(path: Path, document: dict[str, Any]) -> None:
    """A config file; JSON is YAML too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    path.chmod(0o600)


class Ended:
    """A command that has ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def __repr__(self) -> str:
        return f"exit code {self.code}\n{self.out}\n{self.err}"

    @property
    def json(self) -> Any:
        """What was printed, as a value."""
        return json.loads(self.out)
