"""`export` and `import`: taking over what runs, typed as its user types it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from rsspot.manifests.source import parse_text
from support.shell import CLOUDSPACE, STACK, Command, write

NAMED = "apiVersion: rsspot.dev/v1\nkind: Stack\nmetadata: {name: edge}\n---\n"
WEBHOOK = "https://hooks.example.com/very-secret"
VARIABLE = "CLOUDSPACE_WEST_WEBHOOK"
POOL = "spotnodepools create spare --cloudspace west --server-class gp.vs1.large-dfw --bid-price 0.030 --desired 2"


@pytest.fixture
def applied(rsspot: Command) -> None:
    """A stack `edge` that lives."""
    rsspot(f"apply {write(NAMED + STACK)} --yes")


@pytest.fixture
def by_hand(rsspot: Command) -> None:
    """A cloudspace with a secret and a pool, made without manifests."""
    Path("hook").write_text(WEBHOOK)
    rsspot("cloudspaces create west --region us-central-dfw-1 --webhook @hook")
    rsspot(POOL)
    Path("hook").unlink()


PAGE = (Path(__file__).parents[2] / "docs" / "import-export.md").read_text(encoding="utf-8")
EXPORTED = """\
apiVersion: rsspot.dev/v1
kind: Stack
metadata:
  name: edge
---
apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata:
  name: edge
spec:
  region: us-central-dfw-1
  kubernetesVersion: 1.33.0
  deploymentType: gen2  # the service's default
  cloud: default  # the service's default
  # bidRequests: set by the service
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


@pytest.mark.usefixtures("applied")
def test_a_stack_is_printed_as_its_author_would_write_it(rsspot: Command) -> None:
    """Without options it goes to standard output, and what is printed plans to nothing."""
    assert rsspot("export --all") == EXPORTED
    assert "No changes" in rsspot(f"plan {write(EXPORTED, 'exported.yaml')}")


@pytest.mark.usefixtures("applied")
def test_one_object_is_printed(rsspot: Command) -> None:
    """With the Stack that it belongs to, by any name that people use for it."""
    stack, _, pool = EXPORTED.split("---\n")
    for name in ("spotnodepool/workers", "pools/edge/workers", "pools/workers spotnodepool/edge/workers"):
        assert rsspot(f"export {name}") == f"{stack}---\n{pool}"


@pytest.mark.usefixtures("applied")
def test_a_folder_is_written_once(rsspot: Command) -> None:
    """By the commands that it names; --force replaces what is there by the same."""
    printed = rsspot("export --all --out 'my backup'")
    assert "Wrote my backup/stack.yaml, my backup/edge.yaml, my backup/.rsspot.schema.json." in printed
    assert "No changes" in rsspot(printed.split("Next:\n  rsspot --sandbox ")[1])
    before = {path.name: path.read_text() for path in Path("my backup").iterdir()}
    assert "has stack.yaml, edge.yaml already" in rsspot("export --all --out 'my backup'", 3)
    rsspot("export --all --out 'my backup' --force")
    assert {path.name: path.read_text() for path in Path("my backup").iterdir()} == before
    schema = Draft202012Validator(json.loads(before[".rsspot.schema.json"]))
    for text in (before["stack.yaml"], before["edge.yaml"]):
        assert text.startswith("# yaml-language-server: $schema=./.rsspot.schema.json\n")
        for source in parse_text(text, "")[0]:
            assert [error.message for error in schema.iter_errors(source.value)] == []


@pytest.mark.usefixtures("applied")
def test_one_file_holds_all(rsspot: Command) -> None:
    assert "Wrote backup/manifests.yaml, " in rsspot("export --all --out backup --one-file")
    assert Path("backup/manifests.yaml").read_text().partition("\n")[2] == EXPORTED


@pytest.mark.usefixtures("applied", "by_hand")
def test_each_stack_gets_a_folder(rsspot: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """What belongs to no stack is apart from the rest, and one text cannot hold both."""
    assert "these objects belong to no stack, 'edge'" in rsspot("export --all", 3)
    assert rsspot("export --all --stack edge") == EXPORTED
    rsspot("export --all --out backup")
    assert "No changes" in rsspot("plan backup/edge")
    monkeypatch.setenv(VARIABLE, WEBHOOK)
    assert "cloudspace/west exists already and belongs to no stack" in rsspot("plan backup/_no-stack", 5)
    assert "2 to adopt" in rsspot("plan backup/_no-stack --adopt")


@pytest.mark.usefixtures("by_hand")
def test_a_secret_is_a_variable(rsspot: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is written nowhere, and a plan asks for the variable by its name."""
    printed = rsspot("import --all --out infra -o json")
    assert json.loads(printed)["variables"] == {VARIABLE: "spec.webhook of cloudspace/west"}
    text = Path("infra/west.yaml").read_text()
    assert f"  webhook: ${{env:{VARIABLE}}}  # a secret: set this variable\n" in text
    assert WEBHOOK not in text + printed
    assert f"no environment variable '{VARIABLE}'" in rsspot("plan infra --adopt", 3)
    monkeypatch.setenv(VARIABLE, f"{WEBHOOK}-of-another-team")
    assert "webhook" in rsspot("plan infra --adopt")


@pytest.mark.usefixtures("by_hand")
def test_the_documentation_shows_what_is_printed(rsspot: Command) -> None:
    """Character by character."""
    assert f"$ rsspot --sandbox import --all --out infra\n{rsspot('import --all --out infra')}```" in PAGE


@pytest.mark.usefixtures("applied")
def test_the_documented_commands_work(rsspot: Command) -> None:
    """Those of the block, in their order; the last one is for a shell."""
    (block,) = re.findall(r"^```\n(rsspot export.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    lines = [line.partition("#")[0].removeprefix("rsspot ").strip() for line in block.splitlines()]
    assert len(lines) == 5
    for line in lines[:-1]:
        rsspot(line)
    export, plan = lines[-1].split(" | rsspot ")
    assert "No changes" in rsspot(plan.replace(" -", f" {write(rsspot(export), 'exported.yaml')}"))


@pytest.mark.usefixtures("applied", "by_hand")
def test_what_is_imported_becomes_part_of_a_stack(rsspot: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the marks are written, by the very commands that import names; then there is nothing to plan."""
    monkeypatch.setenv(VARIABLE, WEBHOOK)
    printed = rsspot("import --all --out infra")
    assert "Wrote infra/stack.yaml, infra/west.yaml, infra/.rsspot.schema.json." in printed
    assert "Note: 2 objects belong to other stacks." in printed
    plan, apply = (line.removeprefix("  rsspot --sandbox ") for line in printed.splitlines()[-2:])
    planned = rsspot(plan)
    assert "2 to adopt" in planned
    edits = [line.split()[0] for line in planned.splitlines() if "->" in line]
    assert edits == ["metadata.labels.rsspot.dev/stack"] * 2
    rsspot(f"{apply} --yes")
    assert "No changes" in rsspot("plan infra --prune")


@pytest.mark.usefixtures("by_hand")
def test_importing_again_brings_what_is_new(rsspot: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the folder declares is left as its author has made it by now."""
    monkeypatch.setenv(VARIABLE, WEBHOOK)
    rsspot("import cloudspace/west --out infra --stack production")
    first = Path("infra/west.yaml").read_text()
    assert "cloudspace/west is declared already" in rsspot("import cloudspace/west --out infra", 3)
    assert "Wrote infra/cloudspace-west.yaml." in rsspot("import --all --out infra")
    assert Path("infra/west.yaml").read_text() == first
    assert "kind: Stack" not in Path("infra/cloudspace-west.yaml").read_text()
    assert rsspot("import --all --out infra") == "Nothing to write.\n"
    assert "rsspot.dev/stack (none) -> production" in rsspot("plan infra --adopt")


@pytest.mark.usefixtures("by_hand")
def test_a_folder_with_a_stack_alone_is_one_to_import_to(rsspot: Command) -> None:
    Path("infra").mkdir()
    write(NAMED, "infra/mine.yaml")
    assert "Wrote infra/west.yaml, " in rsspot("import --all --out infra")


def test_kubectl_names_pools_by_uuids(rsspot: Command) -> None:
    """A pool without a name of its own goes by its UUID, and a comment says so."""
    name = "5c0f7b0e-8f0e-4c53-9d7a-0a4c5b1d2e3f"
    rsspot("cloudspaces create west --region us-central-dfw-1")
    rsspot(POOL.replace("spare", name))
    assert f"  name: {name}  # no manifest could find it by another name\n" in rsspot("export --all")
    rsspot("import --all --out infra")
    rsspot("apply infra --adopt --yes")
    assert "No changes" in rsspot("plan infra")


@pytest.mark.usefixtures("applied")
@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("export", 3, "no objects given"),
        ("import", 3, "no objects given"),
        ("export --all cloudspace/edge", 3, "cannot combine --all with names"),
        ("export edge", 3, "write KIND/NAME, such as cloudspace/edge"),
        ("export cloudspce/edge", 3, "did you mean 'cloudspace'?"),
        ("export serverclass/gp.vs1.large-dfw", 3, "no live objects of kind 'serverclass' to write manifests of"),
        ("export cloudspace/egde", 1, "did you mean 'edge'?"),
        ("import spotnodepool/edge/wrokers", 1, "did you mean 'edge/workers'?"),
        ("import cloudspace/edge --stack mine --out mine", 3, "cloudspace/edge belongs to the stack 'edge'"),
        ("export --all --stack egde", 1, "did you mean 'edge'?"),
        ("export cloudspace/edge --stack mine", 3, "cloudspace/edge belongs to the stack 'edge'"),
        ("export --all --stack Edge", 3, "'Edge' is not a name"),
        ("export --all -o json", 3, "write them with --out DIR"),
        ("export --all --out stack.yaml", 3, "stack.yaml is not a folder"),
        ("import --all --stack mine", 3, "of the stack 'edge', not 'mine'"),
        ("import cloudspace/edge", 3, "cloudspace/edge is declared already"),
    ],
)
def test_mistakes_are_named(line: str, code: int, message: str, rsspot: Command) -> None:
    """With the way out, and before anything is written."""
    before = sorted(Path().iterdir())
    assert message in rsspot(line, code)
    assert sorted(Path().iterdir()) == before


def test_manifests_without_a_stack_stay_those_of_the_default_one(rsspot: Command) -> None:
    """A Stack beside them would make them those of another stack."""
    Path("infra").mkdir()
    rsspot(f"apply {write(CLOUDSPACE, 'infra/edge.yaml')} --yes")
    rsspot(POOL.replace("west", "edge"))
    assert "add a Stack document with the name first" in rsspot("import --all --out infra --stack mine", 3)
    rsspot("import --all --out infra")
    assert sorted(path.name for path in Path("infra").glob("*.yaml")) == ["cloudspace-edge.yaml", "edge.yaml"]
    assert "1 to adopt" in rsspot("plan infra --adopt")


def test_nothing_lives_and_nothing_is_written(rsspot: Command) -> None:
    assert rsspot("export --all") == "Nothing found.\n"
    assert rsspot("export --all --out backup") == "Nothing to write.\n"
    assert list(Path().iterdir()) == []
