"""Manifests to write, and reads of the sandbox, for the CLI tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rsspot.cli.app import run

Command = Callable[..., str]
"""Runs a command on the sandbox: (line, exit code) -> what it printed."""
CLOUDSPACE = """\
apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata:
  name: edge
spec:
  region: us-central-dfw-1
  kubernetesVersion: 1.33.0
"""
POOL = """\
---
apiVersion: ngpc.rxt.io/v1
kind: SpotNodePool
metadata:
  name: workers
spec:
  cloudSpace: edge
  serverClass: gp.vs1.large-dfw
  desired: 2
  bidPrice: 0.03
"""
STACK = CLOUDSPACE + POOL


def write(text: str, name: str = "stack.yaml") -> str:
    """Write a manifest file and return its path."""
    Path(name).write_text(text)
    return str(Path(name).resolve())


def listed(plural: str, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The objects of a kind in the sandbox."""
    capsys.readouterr()
    assert run(["--sandbox", plural, "list", "-o", "json"]) == 0
    objects: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return objects
