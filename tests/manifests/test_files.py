"""Which files are read: directories whole and sorted, hidden ones not, each once, and what cannot be read."""

from __future__ import annotations

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
