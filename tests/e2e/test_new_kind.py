"""A new kind takes one new folder: it is parsed, planned, applied, pruned and listed without other changes."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "src" / "rsspot"

SCHEMAS = '''
"""The Widget kind."""

from __future__ import annotations

from typing import Annotated

from rsspot.models.fields import COLUMN, IMMUTABLE, RefersTo
from rsspot.models.resource import Resource, Spec
from rsspot.resources.kind import Kind


class WidgetSpec(Spec):
    """A thing in a cloudspace."""

    cloud_space: Annotated[str, IMMUTABLE, RefersTo("CloudSpace", parent=True)]
    size: Annotated[int, COLUMN]


class Widget(Resource):
    """A throwaway kind."""

    spec: WidgetSpec


KINDS = (Kind(Widget, plural="widgets", summary="Throwaway things."),)
'''

DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.ngpc.rxt.io}
spec:
  group: ngpc.rxt.io
  scope: Namespaced
  names: {kind: Widget, listKind: WidgetList, plural: widgets, singular: widget}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            apiVersion: {type: string}
            kind: {type: string}
            metadata: {type: object}
            spec:
              type: object
              required: [cloudSpace, size]
              properties:
                cloudSpace: {type: string}
                size: {type: integer}
"""

CLOUDSPACE = """
apiVersion: rsspot.dev/v1
kind: Stack
metadata: {name: things}
---
apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata: {name: edge}
spec: {region: us-central-dfw-2, kubernetesVersion: 1.33.0}
"""

WIDGET = """
apiVersion: ngpc.rxt.io/v1
kind: Widget
metadata: {name: knob}
spec: {cloudSpace: edge, size: SIZE}
"""


class Package:
    """A copy of the package with one more service folder, and a simulator that serves its kind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(PACKAGE, folder / "lib" / "rsspot", ignore=shutil.ignore_patterns("__pycache__"))
        service = folder / "lib" / "rsspot" / "services" / "widgets"
        service.mkdir()
        (service / "__init__.py").write_text('"""Widgets."""\n\nGROUPS = {"widgets": "Throwaway things."}\n')
        (service / "schemas.py").write_text(SCHEMAS)
        (folder / "widgets.yaml").write_text(DEFINITION)
        (folder / "stack").mkdir()
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(folder / "lib")}

    def start(self) -> subprocess.Popen[bytes]:
        """Serve the simulator; returns once it is ready."""
        ready = self.folder / "ready.json"
        options = ["--ready-file", str(ready), "--crd", str(self.folder / "widgets.yaml"), "--time-scale", "100"]
        server = subprocess.Popen(
            [sys.executable, "-m", "rsspot", "simulator", "serve", *options],
            env=self.environment,
            stdout=subprocess.DEVNULL,
        )
        for _ in range(300):
            if ready.exists():
                break
            time.sleep(0.1)
        about = json.loads(ready.read_text())
        self.environment |= {
            "RSSPOT_BASE_URL": about["base_url"],
            "RSSPOT_OAUTH_URL": about["oauth_url"],
            "RSSPOT_REFRESH_TOKEN": about["refresh_token"],
            "RSSPOT_ORG": about["organization"],
        }
        return server

    def write(self, name: str, text: str) -> None:
        """Write a manifest of the stack."""
        (self.folder / "stack" / name).write_text(text)

    def rsspot(self, *arguments: str) -> str:
        """Run a command that must succeed; returns its output."""
        done = subprocess.run(
            [sys.executable, "-m", "rsspot", *arguments],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def package(tmp_path: Path) -> Iterator[Package]:
    copy = Package(tmp_path)
    server = copy.start()
    yield copy
    server.terminate()
    server.wait(timeout=10)


def test_a_new_kind_takes_one_new_folder(package: Package) -> None:
    """From its first manifest to its deletion, without a change elsewhere."""
    apply = ("apply", "stack", "--yes", "--wait", "none")
    package.write("cloudspace.yaml", CLOUDSPACE)
    package.write("widget.yaml", WIDGET.replace("SIZE", "3"))
    assert "+ widget/edge/knob" in package.rsspot("plan", "stack")
    assert "created=2" in package.rsspot(*apply)
    assert "No changes." in package.rsspot("plan", "stack")
    assert "knob" in package.rsspot("widgets", "list")

    package.write("widget.yaml", WIDGET.replace("SIZE", "4"))
    assert "3 -> 4" in package.rsspot("plan", "stack")
    assert "updated=1" in package.rsspot(*apply)

    (package.folder / "stack" / "widget.yaml").unlink()
    assert "deleted=1" in package.rsspot(*apply, "--prune")
    assert package.rsspot("widgets", "list").strip() == "Nothing found."
    assert "edge" in package.rsspot("cloudspaces", "list")
