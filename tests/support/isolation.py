"""Canaries: texts that stand for secrets, and a search for them in everything that a user could see or keep."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rsspot.simulator.accounts.people import Tenant
from rsspot.simulator.apiserver.messages import Request, Response
from support.loopback_server import Loopback

REFRESH = "canary-refresh-9a41"
PROXY = "canary-proxy-5d1c"
WEBHOOK = "canary-webhook-3b7e"
REGISTRAR = "canary-registrar-77aa"
USER_DATA = base64.b64encode(b"#cloud-config canary-userdata-0f2d").decode()
KUBECONFIG = "canary-kubeconfig-e6c8"

CLOUDSPACE = f"""\
apiVersion: rsspot.dev/v1
kind: Stack
metadata: {{name: things}}
---
apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata: {{name: edge}}
spec: {{region: us-central-dfw-2, kubernetesVersion: 1.31.1, webhook: "https://hooks.example.com/{WEBHOOK}"}}
"""
VMS = f"""\
apiVersion: rsspot.dev/v1
kind: Stack
metadata: {{name: machines}}
---
apiVersion: ngpc.rxt.io/v1
kind: VMCloudSpace
metadata: {{name: vms}}
spec:
  region: us-central-dfw-2
  vmSshKeyRef: {{name: operators}}
  webhook: "https://hooks.example.com/{WEBHOOK}"
---
apiVersion: ngpc.rxt.io/v1
kind: VMPool
metadata: {{name: runners}}
spec:
  vmCloudSpace: vms
  serverClass: gp.vs2.medium-dfw2
  desired: 1
  bidPrice: 0.03
  vmUserData: "USER_DATA"
---
apiVersion: rsspot.dev/v1
kind: Registration
metadata: {{name: known}}
spec: {{vmCloudSpace: vms, omniCluster: prod, registrar: {{exec: [./registrar.sh]}}}}
"""


class Watched(Loopback):
    """A service that notes every token it gives, and in which much time passes with each request.

    Its kubeconfigs hold a token of their own.
    """

    def __init__(self) -> None:
        self.given: set[str] = set()
        super().__init__(organizations=[Tenant("org_Sandbox000000001", "sandbox", REFRESH)], rotate=False)

    def handle(self, request: Request) -> Response:
        self.clock.advance(1000)
        answer = super().handle(request)
        if request.path == "/oauth/token" and answer.status == 200:
            said = json.loads(answer.body)
            self.given |= {said[name] for name in ("id_token", "access_token")}
        if request.path.endswith("/generate-kubeconfig") and answer.status == 200:
            text = json.loads(answer.body)["data"]["kubeconfig"]
            lines = [f"    token: {KUBECONFIG}" if "token: " in each else each for each in text.splitlines()]
            return Response.of_json(200, {"data": {"kubeconfig": "\n".join(lines) + "\n"}})
        return answer

    def make_ready(self, name: str) -> None:
        """Give a cloudspace an address, so that a kubeconfig can be had."""
        with self.world.lock:
            body = self.world.store.get("cloudspaces", self.world.organizations[0].namespace, name)
            assert body is not None
            self.world.store.put("cloudspaces", {**body, "status": {"APIServerEndpoint": "edge.example.com"}})


@dataclass
class Cage:
    """What was said and kept, and the search through it."""

    folder: Path
    service: Watched
    command: Callable[..., int]
    capsys: pytest.CaptureFixture[str]
    caplog: pytest.LogCaptureFixture
    said: list[tuple[str, str]] = field(default_factory=list)
    codes: dict[str, int] = field(default_factory=dict)

    def run(self, line: str, *more: str) -> int:
        """Run a command and keep what it printed."""
        self.capsys.readouterr()
        code = self.command(*line.split(), *more)
        out, err = self.capsys.readouterr()
        self.said += [(f"{line}: standard output", out), (f"{line}: standard error", err)]
        self.codes[line] = code
        return code

    def keep(self, what: str, text: str | bytes) -> None:
        """Keep something else that somebody could see."""
        self.said.append((what, text if isinstance(text, str) else text.decode("latin-1")))

    @property
    def canaries(self) -> dict[str, list[str]]:
        """Each canary and how it would look when it is encoded."""
        named = {
            "refresh token": REFRESH,
            "proxy password": PROXY,
            "webhook": WEBHOOK,
            "registrar token": REGISTRAR,
            "user data": USER_DATA,
            "user data, decoded": "canary-userdata-0f2d",
            "kubeconfig token": KUBECONFIG,
        }
        named |= {f"token {number}": each for number, each in enumerate(sorted(self.service.given))}
        # Of a long one, a good piece is as bad as the whole.
        pieces = {name: [text[at : at + 60] for at in range(60, len(text) - 60, 60)] for name, text in named.items()}
        return {name: [text, *pieces[name], *_in_base64(text)] for name, text in named.items()}

    def flown(self, allowed: Callable[[str, Path], bool]) -> list[str]:
        """Where canaries were found that should not be there."""
        found = []
        places = [*self.said, *((f"log of {each.name}", _whole(each)) for each in self.caplog.records)]
        for name, forms in self.canaries.items():
            found += [f"{name} in {place}" for place, text in places if any(form in text for form in forms)]
            for path in (each for each in self.folder.rglob("*") if each.is_file()):
                text = path.read_bytes().decode("latin-1")
                if any(form in text for form in forms) and not allowed(name, path):
                    found.append(f"{name} in {path.relative_to(self.folder)}")
        return found


def _whole(record: Any) -> str:
    """A log record with all that hangs on it."""
    return f"{record.getMessage()} {record.__dict__!r}"


def _in_base64(text: str) -> list[str]:
    """The part of a text's base64 that does not depend on what stands around it, for each alignment."""
    encoded = []
    for offset in range(3):
        whole = base64.b64encode(b"\0" * offset + text.encode()).decode().rstrip("=")
        encoded.append(whole[4 if offset else 0 : len(whole) - len(whole) % 4 - 4])
    return [each for each in encoded if len(each) >= 12]


def where_it_belongs(name: str, path: Path) -> bool:
    """Whether a file is one that its owner keeps this secret in, readable by nobody else."""
    places = {
        "refresh token": path.name == "config.yml",
        "proxy password": path.name == "config.yml",
        "webhook": path.name in ("stack.yaml", "vms.yaml"),
        "user data": path.name == "vms.yaml",
        "user data, decoded": path.name == "vms.yaml",
        "registrar token": path.name == "registrar.sh",
        "kubeconfig token": path.name == "kubeconfig",
    }
    ours = path.name in ("config.yml", "kubeconfig") or path.parent.name == "tokens"
    if ours and path.stat().st_mode & 0o077:
        return False
    return places.get(name, name.startswith("token ") and path.parent.name == "tokens")
