"""A registrar program, and a manifest that has machines registered by it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from rsspot.applier.events import Recap
from rsspot.applier.options import ApplyOptions
from rsspot.manifests.parse import load
from rsspot.planner.plan import Plan
from rsspot.testing import SimulatedSpot
from rsspot.utils.serialization import Document
from rsspot.workflows.reconcile import apply_plan, make_plan

REGISTRAR = """
import json, sys
question = json.load(sys.stdin)
with open(sys.argv[1], "a") as log:
    log.write(json.dumps(question) + "\\n")
if question["ask"] in sys.argv[2:]:
    sys.exit(f"no {question['ask']} today")
if question["ask"] == "find":
    print(json.dumps({"registered": "found" in sys.argv[2:], "tokenId": "t0"}))
    sys.exit()
token = {"tokenId": "t1", "token": "canary-secret", "tokenExpiresAt": "2030-01-01T00:00:00Z"}
print(json.dumps(token if question["ask"] == "issue_token" else {}))
"""
STACK = """
apiVersion: ngpc.rxt.io/v1
kind: VMCloudSpace
metadata: {name: vms}
spec: {region: us-central-dfw-2, vmSshKeyRef: {name: operators}}
---
apiVersion: ngpc.rxt.io/v1
kind: VMPool
metadata: {name: runners}
spec: {vmCloudSpace: vms, serverClass: gp.vs2.medium-dfw2, desired: 2, bidPrice: 0.03, vmImage: ubuntu24.04}
---
apiVersion: rsspot.dev/v1
kind: Registration
metadata: {name: known}
spec: {vmCloudSpace: vms, omniCluster: first, registrar: {exec: EXEC}}
"""


class Registrar:
    """A registrar program and the log of the questions it was asked."""

    def __init__(self, folder: Path) -> None:
        self.program, self.log = folder / "registrar.py", folder / "log.jsonl"
        self.program.write_text(REGISTRAR)

    def refusing(self, *questions: str) -> list[str]:
        """The command line of a registrar that fails some questions."""
        return [sys.executable, str(self.program), str(self.log), *questions]

    @property
    def asked(self) -> list[Document]:
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    @property
    def questions(self) -> list[str]:
        return [each["ask"] for each in self.asked]


@pytest.fixture
def registrar(tmp_path: Path) -> Registrar:
    """A registrar program in a file."""
    return Registrar(tmp_path)


class Runs:
    """Plans and applies of one manifest."""

    def __init__(self, spot: SimulatedSpot, folder: Path) -> None:
        self.client, self.file = spot.client(), folder / "stack.yaml"

    async def plan(self) -> Plan:
        return await make_plan(self.client, self.client.ledger, load([self.file]), stack="vms")

    async def apply(self) -> Recap:
        """Apply the manifest, one step at a time; returns the recap."""
        plan = await self.plan()
        events = [event async for event in apply_plan(self.client, self.client.ledger, plan, ApplyOptions(parallel=1))]
        assert isinstance(events[-1], Recap)
        return events[-1]
