"""Which stacks a fleet has, and what is told of a fleet file that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsspot.errors import ManifestError
from rsspot.fleet.members import Member, chosen, read_fleet

STACK = "apiVersion: rsspot.dev/v1\nkind: Stack\nmetadata: {name: any}\n"
FLEET = "apiVersion: rsspot.dev/v1\nkind: Fleet\nmetadata: {name: company}\n"


def stack_in(folder: Path, text: str = STACK) -> Path:
    folder.mkdir(parents=True)
    (folder / "stack.yaml").write_text(text)
    return folder


def test_a_folder_of_folders_is_a_fleet(tmp_path: Path) -> None:
    """A folder without a Stack document is none, nor is one that is hidden."""
    stack_in(tmp_path / "west")
    stack_in(tmp_path / "edge", "kind: CloudSpace\n---\n" + STACK.replace("Stack", '"Stack"  # of the edge'))
    stack_in(tmp_path / "base", "kind: CloudSpace\n")
    stack_in(tmp_path / ".git")
    (tmp_path / "README.md").write_text("kind: Stack\n")
    fleet = read_fleet(tmp_path)
    assert fleet.members == (Member("edge", (tmp_path / "edge",)), Member("west", (tmp_path / "west",)))
    assert (fleet.name, fleet.parallelism) == (tmp_path.name, 4)


def test_a_fleet_file_lists_stacks_and_folders(tmp_path: Path) -> None:
    """Paths are relative to the file, and a folder that is listed is not found twice."""
    for name in ("edge", "west"):
        stack_in(tmp_path / "stacks" / name)
    file = tmp_path / "fleet.yaml"
    spec = """spec:
  parallelism: 2
  folders: [stacks/*]
  stacks:
    - paths: [stacks/edge]
      profile: prod
      organization: acme
      variables: {size: 3}
      variableFiles: [prod.yaml]
    - {name: spare, paths: [stacks/west, extra.yaml]}
"""
    file.write_text(FLEET + spec)
    fleet = read_fleet(file)
    edge, spare = fleet.members
    assert edge == Member("edge", (tmp_path / "stacks/edge",), "prod", "acme", {"size": 3}, (tmp_path / "prod.yaml",))
    assert spare.paths == (tmp_path / "stacks/west", tmp_path / "extra.yaml")
    assert (fleet.name, fleet.parallelism) == ("company", 2)


def test_stacks_are_chosen_by_name(tmp_path: Path) -> None:
    for name in ("edge", "west"):
        stack_in(tmp_path / name)
    fleet = read_fleet(tmp_path)
    assert [each.name for each in chosen(fleet, [])] == ["edge", "west"]
    assert [each.name for each in chosen(fleet, ["west", "west"])] == ["west"]
    with pytest.raises(ManifestError, match="there is no stack 'east'") as refused:
        chosen(fleet, ["east"])
    assert "edge, west" in str(refused.value.problems[0].hint)


@pytest.mark.parametrize(
    "text, message",
    [
        (FLEET, "there is no stack in this fleet"),
        (FLEET + "spec: {stacks: [{paths: [a]}, {paths: [b/a]}]}\n", "two stacks are called 'a'"),
        (FLEET + "spec: {stacks: [{paths: []}]}\n", "spec.stacks.0.paths"),
        (FLEET + "spec: {stacks: [{path: [a]}]}\n", "spec.stacks.0.path"),
        (FLEET + "spec: {parallelism: 0}\n", "spec.parallelism must be greater than or equal to 1"),
        (FLEET.replace("Fleet", "Fleets"), "kind must be"),
        ("- a\n- b\n", "the document"),
        ("a: [\n", "is no YAML"),
        ("", "the document"),
    ],
)
def test_a_wrong_fleet_file_is_told(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "fleet.yaml"
    file.write_text(text)
    with pytest.raises(ManifestError) as refused:
        read_fleet(file)
    assert message in str(refused.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="cannot be read"):
        read_fleet(tmp_path / "fleet.yaml")
