"""Which files are read: directories whole and sorted, hidden ones not, each once, and what cannot be read."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest

from rsspot.errors import ManifestError
from rsspot.manifests import files
from rsspot.manifests.files import find_files
from rsspot.manifests.parse import load


def cloudspace(name: str) -> str:
    """The smallest manifest."""
    return (
        f"apiVersion: ngpc.rxt.io/v1\nkind: CloudSpace\nmetadata: {{name: {name}}}\n"
        "spec: {region: dfw, kubernetesVersion: 1.33.0}\n"
    )


def problems_of(*paths: Path) -> list[str]:
    """What is wrong with these paths."""
    with pytest.raises(ManifestError) as caught:
        load(paths, environ={})
    return [str(problem) for problem in caught.value.problems]


def test_a_directory_is_searched_whole_and_sorted(tmp_path: Path) -> None:
    """Both suffixes, every level, in order of their paths; what is hidden is not looked at."""
    for name in ("b.yaml", "a.yml", "deep/er/c.yaml", ".hidden.yaml", ".git/d.yaml", "deep/.x/e.yaml", "notes.txt"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(cloudspace(file.stem.strip(".")))
    found, problems = find_files([tmp_path])
    assert not problems
    assert [str(each.path.relative_to(tmp_path)) for each in found] == ["a.yml", "b.yaml", "deep/er/c.yaml"]


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    """A file given by itself and through its directory is no duplicate."""
    file = tmp_path / "a.yaml"
    file.write_text(cloudspace("edge"))
    assert len(load([file, tmp_path, file], environ={}).manifests) == 1


def test_a_file_that_is_named_may_have_any_name(tmp_path: Path) -> None:
    """What was asked for by name is read, whatever its suffix."""
    file = tmp_path / ".rendered"
    file.write_text(cloudspace("edge"))
    assert [each.name for each in load([file], environ={}).manifests] == ["edge"]


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n---\n", "null\n"])
def test_a_file_of_nothing_is_a_problem(tmp_path: Path, text: str) -> None:
    """An empty set of manifests is never taken for a wish to have nothing."""
    (tmp_path / "a.yaml").write_text(text)
    assert "no manifests here" in problems_of(tmp_path)[0]


@pytest.mark.parametrize("hidden", [[], [".a.yaml"]])
def test_an_empty_directory_is_a_problem(tmp_path: Path, hidden: list[str]) -> None:
    """A directory without manifests is a mistake, said with its name."""
    for name in hidden:
        (tmp_path / name).write_text(cloudspace("edge"))
    said = problems_of(tmp_path)[0]
    assert "no manifests here" in said
    assert str(tmp_path) in said


def test_a_missing_file_is_a_problem_beside_the_others(tmp_path: Path) -> None:
    """Every path is looked at, whatever is wrong with the ones before it."""
    (tmp_path / "a.yaml").write_text("a: [\n")
    said = problems_of(tmp_path / "none.yaml", tmp_path / "a.yaml")
    assert any("no such file or directory" in each for each in said)
    assert any("invalid YAML" in each for each in said)


def test_a_stack_alone_is_a_problem(tmp_path: Path) -> None:
    """A Stack says whose manifests these are; it is none."""
    (tmp_path / "a.yaml").write_text("apiVersion: rsspot.dev/v1\nkind: Stack\nmetadata: {name: demo}\n")
    assert "except for a Stack" in problems_of(tmp_path)[0]


def test_bytes_that_are_no_text_are_a_problem(tmp_path: Path) -> None:
    """A file in another encoding is named, not guessed at."""
    (tmp_path / "a.yaml").write_bytes(b"a: \xff\xfe\n")
    assert "cannot be read" in problems_of(tmp_path)[0]


def test_a_huge_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Size is looked at before anything is read."""
    monkeypatch.setattr(files, "LARGEST_FILE", 1024 * 1024)
    (tmp_path / "a.yaml").write_text("# " + "x" * 1024 * 1024)
    assert "larger than 1 MiB" in problems_of(tmp_path)[0]


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    """Editors on Windows write one."""
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbf" + cloudspace("edge").replace("\n", "\r\n").encode())
    assert load([tmp_path], environ={}).manifests[0].body["spec"]["region"] == "dfw"


def test_links_are_followed(tmp_path: Path) -> None:
    """To files and to folders; a folder that a link leads back to is read once."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "two.yaml").write_text(cloudspace("two"))
    (tmp_path / "one.yaml").write_text(cloudspace("one"))
    prod = tmp_path / "prod"
    prod.mkdir()
    (prod / "shared").symlink_to("../shared")
    (prod / "one.yaml").symlink_to("../one.yaml")
    (prod / "again").symlink_to(".")
    assert [each.name for each in load([prod], environ={}).manifests] == ["one", "two"]


def test_a_link_to_nothing_is_a_problem(tmp_path: Path) -> None:
    """What it declared would be pruned."""
    (tmp_path / "a.yaml").write_text(cloudspace("edge"))
    (tmp_path / "b.yaml").symlink_to("nowhere.yaml")
    assert "b.yaml:1:1: a link to a file that does not exist" in problems_of(tmp_path)[0]


@pytest.mark.parametrize("name", ["a.YAML", "a.Yml", "a.json", "a.JSON"])
def test_suffixes_have_several_spellings(tmp_path: Path, name: str) -> None:
    """As other tools take them."""
    document = {"apiVersion": "ngpc.rxt.io/v1", "kind": "CloudSpace", "metadata": {"name": "edge"}}
    (tmp_path / name).write_text(json.dumps({**document, "spec": {"region": "dfw", "kubernetesVersion": "1.33.0"}}))
    assert [each.name for each in load([tmp_path], environ={}).manifests] == ["edge"]


def test_an_ignore_file_names_what_is_left_out(tmp_path: Path) -> None:
    """By name, by path and by folder; nothing is said about it."""
    for name in ("a.yaml", "values.yaml", "charts/x.yaml", "deep/charts/y.yaml", "deep/z-old.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(cloudspace("edge") if name == "a.yaml" else "not: a manifest\n")
    (tmp_path / ".rsspotignore").write_text("# foreign\nvalues.yaml\n/charts/\ndeep/charts\n*-old.yaml\n\n")
    manifests = load([tmp_path], environ={})
    assert [each.name for each in manifests.manifests] == ["edge"]
    assert manifests.foreign == ()


def test_what_other_tools_read_is_named(tmp_path: Path) -> None:
    """In a folder; a file that is named has to be ours."""
    (tmp_path / "a.yaml").write_text(cloudspace("edge"))
    file = tmp_path / "b.yaml"
    file.write_text("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n")
    (foreign,) = load([tmp_path], environ={}).foreign
    assert "b.yaml:1:1: the Deployment (apps/v1) is not rsspot's" in foreign
    assert "unknown kind 'Deployment'" in problems_of(file)[0]


@pytest.mark.parametrize(
    "header", ["apiVersion: npgc.rxt.io/v1\nkind: Cloudspace", "kind: CloudSpace", "apiVersion: apps/v1"]
)
def test_a_slip_of_the_finger_is_not_foreign(tmp_path: Path, header: str) -> None:
    """Otherwise what it declares would be pruned."""
    (tmp_path / "a.yaml").write_text(cloudspace("edge"))
    (tmp_path / "b.yaml").write_text(f"{header}\nmetadata: {{name: two}}\nspec: {{}}\n")
    assert "b.yaml" in problems_of(tmp_path)[0]


@pytest.mark.parametrize("kind", ["List", "CloudSpaceList"])
def test_a_list_is_read_like_the_objects_in_it(tmp_path: Path, kind: str) -> None:
    """As kubectl prints it; problems have their own lines."""
    items = "".join("- " + cloudspace(name).strip().replace("\n", "\n  ") + "\n" for name in ("one", "two"))
    (tmp_path / "a.yaml").write_text(f"apiVersion: v1\nkind: {kind}\nmetadata: {{}}\nitems:\n{items}")
    assert [str(each.origin).rpartition("/")[2] for each in load([tmp_path], environ={}).manifests] == [
        "a.yaml:7:14",
        "a.yaml:11:14",
    ]


def test_standard_input_is_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Called `-`."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(cloudspace("edge").encode())))
    assert [each.name for each in load([Path("-")], environ={}).manifests] == ["edge"]


def test_a_pipe_is_a_file() -> None:
    """As a shell's `<(…)` gives it."""
    reading, writing = os.pipe()
    os.write(writing, cloudspace("edge").encode())
    os.close(writing)
    assert [each.name for each in load([Path(f"/dev/fd/{reading}")], environ={}).manifests] == ["edge"]
    os.close(reading)
