"""The recipes of CONTRIBUTING.md, each followed in a copy of the package."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.package_copy import PackageCopy

CONTRIBUTING = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")

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


@pytest.fixture
def copy(tmp_path: Path) -> PackageCopy:
    """A copy of the package, and an empty stack folder beside it."""
    (tmp_path / "stack").mkdir()
    return PackageCopy(tmp_path)


def manifest(copy: PackageCopy, name: str, text: str) -> None:
    """Write a manifest of the stack."""
    (copy.folder / "stack" / name).write_text(text)


def test_recipes_are_short() -> None:
    """Ten lines at most, and each has a test here."""
    recipes = CONTRIBUTING.partition("## Recipes")[2].split("### ")[1:]
    assert [recipe.splitlines()[0] for recipe in recipes] == [
        "Add a kind",
        "Add a guard",
        "Add a command",
        "Add a report",
        "Add a ledger backend",
    ]
    assert not [recipe for recipe in recipes if len(re.findall(r".+", recipe.partition("\n")[2])) > 10]


# Add a kind


@pytest.fixture
def widgets(copy: PackageCopy) -> Iterator[PackageCopy]:
    """A copy with one more service folder, and a simulator that serves its kind."""
    copy.write("services/widgets/__init__.py", '"""Widgets."""\n\nGROUPS = {"widgets": "Throwaway things."}\n')
    copy.write("services/widgets/schemas.py", SCHEMAS)
    (copy.folder / "widgets.yaml").write_text(DEFINITION)
    server = copy.serve("--crd", str(copy.folder / "widgets.yaml"), "--time-scale", "100")
    yield copy
    server.terminate()
    server.wait(timeout=10)


def test_a_new_kind_takes_one_new_folder(widgets: PackageCopy) -> None:
    """From its first manifest to its deletion, without a change elsewhere."""
    apply = ("apply", "stack", "--yes", "--wait", "none")
    manifest(widgets, "cloudspace.yaml", CLOUDSPACE)
    manifest(widgets, "widget.yaml", WIDGET.replace("SIZE", "3"))
    assert "+ widget/edge/knob" in widgets.rsspot("plan", "stack")
    assert "created=2" in widgets.rsspot(*apply)
    assert "No changes." in widgets.rsspot("plan", "stack")
    assert "knob" in widgets.rsspot("widgets", "list")
    script = "import rsspot; print([each.name for each in rsspot.SpotClient().widgets.list()])"
    assert widgets.python("-c", script) == "['knob']\n"

    manifest(widgets, "widget.yaml", WIDGET.replace("SIZE", "4"))
    assert "3 -> 4" in widgets.rsspot("plan", "stack")
    assert "updated=1" in widgets.rsspot(*apply)

    (widgets.folder / "stack" / "widget.yaml").unlink()
    assert "deleted=1" in widgets.rsspot(*apply, "--prune")
    assert widgets.rsspot("widgets", "list").strip() == "No widgets found."
    assert "edge" in widgets.rsspot("cloudspaces", "list")


# Add a guard

GUARD = '''

def no_edge(case: Case) -> Iterator[Problem]:
    """Nothing may be called edge."""
    for match in case.matches:
        if match.manifest.name == "edge":
            yield Problem("edge is no name", match.manifest.origin, "call it otherwise", Rule.EDGE)


GUARDS = (*GUARDS, no_edge)
'''


def test_a_new_guard_is_a_function(copy: PackageCopy) -> None:
    """It refuses a plan at the line of the manifest, with its hint and the exit code of guards."""
    copy.replace(
        "planner/case.py",
        '    BLAST_RADIUS = "blast-radius"\n',
        '    BLAST_RADIUS = "blast-radius"\n    EDGE = "edge"\n',
    )
    guards = copy.source / "planner" / "guards.py"
    guards.write_text(guards.read_text() + GUARD)
    manifest(copy, "cloudspace.yaml", CLOUDSPACE)
    refused = copy.rsspot("--sandbox", "plan", "stack", code=5)
    assert "stack/cloudspace.yaml:8:" in refused
    assert "edge is no name" in refused
    assert "call it otherwise" in refused
    manifest(copy, "cloudspace.yaml", CLOUDSPACE.replace("name: edge", "name: west"))
    assert "1 to create" in copy.rsspot("--sandbox", "plan", "stack")


# Add a command

COMMAND = '''

@commands.add
async def count(session: CommandSession[CloudSpaces], prefix: str = "") -> object:
    """Count the cloudspaces."""
    return len([each for each in await session.api.list() if each.name.startswith(prefix)])
'''
OWN = '''"""Says hello."""

from typing import Any

from rsspot.cli.session import session


def hello(name: str) -> None:
    """Say hello."""
    session().emit(f"hello {name}")


COMMANDS: dict[str, Any] = {"hello": hello}
'''


def test_a_new_command_of_a_service_is_a_function(copy: PackageCopy) -> None:
    """With its options and its help."""
    file = copy.source / "services" / "cloudspaces" / "cli.py"
    file.write_text(file.read_text() + COMMAND)
    assert copy.rsspot("--sandbox", "cloudspaces", "count", "--prefix", "e").strip() == "0"
    assert "Count the cloudspaces." in copy.rsspot("cloudspaces", "--help")


def test_a_new_command_of_the_tool_is_a_module_and_a_line(copy: PackageCopy) -> None:
    """It is in the help before it is imported."""
    copy.write("cli/hello.py", OWN)
    copy.replace("cli/command_table.py", "OWN = {\n", 'OWN = {\n    "hello": ("rsspot.cli.hello", "Say hello."),\n')
    assert copy.rsspot("hello", "world").strip() == "hello world"
    assert "Say hello." in copy.rsspot("--help")


# Add a report

REPORT = '''"""Everything in one word."""


class TerseReport:
    def __init__(self, *, color=False):
        pass

    def plan(self, plan):
        return "nothing" if plan.empty else f"{len(plan.changes)} changes"

    def event(self, event, elapsed):
        return None

    def recap(self, recap, traffic):
        return str(recap.outcome)
'''


def test_a_new_report_is_a_module_and_a_line(copy: PackageCopy) -> None:
    """For plans and for runs; a list says that it has no such format."""
    copy.write("reports/terse.py", REPORT)
    line = "REPORTS = {\n"
    copy.replace("reports/registry.py", line, line + '    "terse": "rsspot.reports.terse:TerseReport",\n')
    manifest(copy, "cloudspace.yaml", CLOUDSPACE)
    assert copy.rsspot("--sandbox", "plan", "stack", "-o", "terse").strip() == "1 changes"
    assert copy.rsspot("--sandbox", "apply", "stack", "--yes", "-o", "terse").split() == ["1", "changes", "ok"]
    assert "is for plans and runs" in copy.rsspot("--sandbox", "regions", "list", "-o", "terse", code=3)


PLAN_REPORT = '''"""How many changes there are."""


class CountReport:
    def __init__(self, *, color=False):
        pass

    def plan(self, plan):
        return str(len(plan.changes))
'''


def test_a_new_format_of_plans_is_a_module_and_a_line(copy: PackageCopy) -> None:
    """To print, to write to a file, and to show a saved plan in; a run is not printed in it."""
    copy.write("reports/count.py", PLAN_REPORT)
    line = "PLAN_FORMATS = {\n"
    copy.replace("reports/registry.py", line, line + '    "count": "rsspot.reports.count:CountReport",\n')
    manifest(copy, "cloudspace.yaml", CLOUDSPACE)
    options = ("--report", "count=count.txt", "--out", "plan.json")
    assert copy.rsspot("--sandbox", "plan", "stack", "-o", "count", *options).strip() == "1"
    assert copy.rsspot("show", "plan.json", "-o", "count").strip() == "1"
    assert (copy.folder / "count.txt").read_text(encoding="utf-8") == "1\n"
    assert "cannot be printed with -o count" in copy.rsspot("--sandbox", "apply", "stack", "-o", "count", code=3)


# Add a ledger backend

BACKEND = '''"""A ledger that remembers nothing."""

from rsspot.state.database import Database
from rsspot.state.ledger.sqlite import SqliteLedger


def open_at(url: str, *, create: bool, reading: bool) -> SqliteLedger:
    return SqliteLedger(Database(None))
'''


def test_a_new_ledger_backend_is_a_module_and_a_line(copy: PackageCopy) -> None:
    """It is opened by its scheme."""
    copy.write("state/ledger/forgetful.py", BACKEND)
    copy.replace(
        "state/ledger/__init__.py", 'BACKENDS = {"": "sqlite", ', 'BACKENDS = {"none": "forgetful", "": "sqlite", '
    )
    script = "from rsspot.state.ledger import open_ledger; print(open_ledger('none://').runs())"
    assert copy.python("-c", script) == "[]\n"
