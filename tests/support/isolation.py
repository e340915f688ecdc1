"""Canaries: texts that stand for secrets, and a scan for them in everything that is printed, logged or written."""

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


class CanaryService(Loopback):
    """A service that records every token it issues, and whose clock advances with each request.

    Its kubeconfigs contain a separate token.
    """

    def __init__(self) -> None:
        self.issued: set[str] = set()
        super().__init__(organizations=[Tenant("org_Sandbox000000001", "sandbox", REFRESH)], rotate=False)

    def handle(self, request: Request) -> Response:
        self.clock.advance(1000)
        response = super().handle(request)
        if request.path == "/oauth/token" and response.status == 200:
            tokens = json.loads(response.body)
            self.issued |= {tokens[name] for name in ("id_token", "access_token")}
        if request.path.endswith("/generate-kubeconfig") and response.status == 200:
            text = json.loads(response.body)["data"]["kubeconfig"]
            lines = [f"    token: {KUBECONFIG}" if "token: " in line else line for line in text.splitlines()]
            return Response.of_json(200, {"data": {"kubeconfig": "\n".join(lines) + "\n"}})
        return response

    def make_ready(self, name: str) -> None:
        """Give a cloudspace an endpoint, so that its kubeconfig can be fetched."""
        with self.world.lock:
            body = self.world.store.get("cloudspaces", self.world.organizations[0].namespace, name)
            assert body is not None
            self.world.store.put("cloudspaces", {**body, "status": {"APIServerEndpoint": "edge.example.com"}})


@dataclass
class LeakScanner:
    """Collects the output of commands, and finds canaries in it, in logs and in files."""

    folder: Path
    service: CanaryService
    command: Callable[..., int]
    capsys: pytest.CaptureFixture[str]
    caplog: pytest.LogCaptureFixture
    outputs: list[tuple[str, str]] = field(default_factory=list)
    codes: dict[str, int] = field(default_factory=dict)

    def run(self, line: str, *more: str) -> int:
        """Run a command and keep its output."""
        self.capsys.readouterr()
        code = self.command(*line.split(), *more)
        out, err = self.capsys.readouterr()
        self.outputs += [(f"{line}: standard output", out), (f"{line}: standard error", err)]
        self.codes[line] = code
        return code

    def keep(self, what: str, text: str | bytes) -> None:
        """Keep another text that a user could see."""
        self.outputs.append((what, text if isinstance(text, str) else text.decode("latin-1")))

    @property
    def canaries(self) -> dict[str, list[str]]:
        """Each canary in plain text, in pieces and in base64."""
        named = {
            "refresh token": REFRESH,
            "proxy password": PROXY,
            "webhook": WEBHOOK,
            "registrar token": REGISTRAR,
            "user data": USER_DATA,
            "user data, decoded": "canary-userdata-0f2d",
            "kubeconfig token": KUBECONFIG,
        }
        named |= {f"token {number}": token for number, token in enumerate(sorted(self.service.issued))}
        # Leaking a long piece of a secret is as bad as leaking all of it.
        pieces = {name: [text[at : at + 60] for at in range(60, len(text) - 60, 60)] for name, text in named.items()}
        return {name: [text, *pieces[name], *_in_base64(text)] for name, text in named.items()}

    def leaks(self, allowed: Callable[[str, Path], bool]) -> list[str]:
        """The places of canaries that should not be there."""
        leaks = []
        places = [*self.outputs, *((f"log of {record.name}", _record_text(record)) for record in self.caplog.records)]
        for name, forms in self.canaries.items():
            leaks += [f"{name} in {place}" for place, text in places if any(form in text for form in forms)]
            for path in (path for path in self.folder.rglob("*") if path.is_file()):
                text = path.read_bytes().decode("latin-1")
                if any(form in text for form in forms) and not allowed(name, path):
                    leaks.append(f"{name} in {path.relative_to(self.folder)}")
        return leaks


def _record_text(record: Any) -> str:
    """A log record with all its attributes."""
    return f"{record.getMessage()} {record.__dict__!r}"


def _in_base64(text: str) -> list[str]:
    """The part of a text's base64 that does not depend on its surroundings, for each alignment."""
    encoded = []
    for offset in range(3):
        whole = base64.b64encode(b"\0" * offset + text.encode()).decode().rstrip("=")
        encoded.append(whole[4 if offset else 0 : len(whole) - len(whole) % 4 - 4])
    return [part for part in encoded if len(part) >= 12]


def may_hold(name: str, path: Path) -> bool:
    """Whether a file may hold this secret. A file of ours must also be readable only by its owner."""
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
