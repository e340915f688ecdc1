"""Folders of manifests for tests: written from texts, and read back with every problem."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rsspot.errors import ManifestError
from rsspot.manifests.manifest import Manifest, ManifestSet
from rsspot.manifests.parse import load

STACK = "apiVersion: rsspot.dev/v1\nkind: Stack\nmetadata: {name: demo}\n"
CLOUDSPACE = """\
apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata:
  name: edge
spec:
  region: dfw
  kubernetesVersion: 1.33.0
"""
POOL = """\
apiVersion: ngpc.rxt.io/v1
kind: SpotNodePool
metadata:
  name: workers
spec:
  cloudSpace: edge
  serverClass: gp.small
  desired: 2
  bidPrice: 0.03
"""


def written(texts: dict[str, str], folder: Path | None = None) -> None:
    """Write files, relative to a folder or to the one that the test runs in."""
    for name, text in texts.items():
        file = (folder or Path()) / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def overlay(target: str, change: str, name: str = "change") -> str:
    """An Overlay whose change is one line of flow style."""
    header = f"apiVersion: rsspot.dev/v1\nkind: Overlay\nmetadata: {{name: {name}}}\n"
    return f"{header}spec:\n  target: {target}\n  {change}\n"


def read(*paths: str, **options: Any) -> ManifestSet:
    """The manifests at these paths, in an environment without variables."""
    return load([Path(path) for path in paths], **{"environ": {}, **options})


def one(*paths: str, **options: Any) -> Manifest:
    """The one manifest at these paths."""
    (manifest,) = read(*paths, **options).manifests
    return manifest


def problems_of(*paths: str, **options: Any) -> list[str]:
    """What is wrong at these paths, each with its place."""
    with pytest.raises(ManifestError) as caught:
        read(*paths, **options)
    return [str(problem) for problem in caught.value.problems]


def hints_of(*paths: str, **options: Any) -> str:
    """The ways out that are given."""
    with pytest.raises(ManifestError) as caught:
        read(*paths, **options)
    return "\n".join(problem.hint or "" for problem in caught.value.problems)
