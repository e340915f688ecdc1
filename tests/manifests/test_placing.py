"""Manifests are written to a folder whole, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rsspot.errors import UsageError
from rsspot.manifests.placing import require_room, write_files

NEW = {"a.yaml": "a: ü\n", "b/c.yaml": "c\n"}


def contents(folder: Path) -> dict[str, str]:
    """Every file in a folder, with what it says."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in files}


def test_files_are_written_with_the_folders_that_they_need(tmp_path: Path) -> None:
    """And with the permissions of any new file."""
    assert write_files(tmp_path / "new", NEW) == [tmp_path / "new" / name for name in NEW]
    assert contents(tmp_path / "new") == NEW
    (tmp_path / "other").write_text("")
    assert (tmp_path / "new" / "a.yaml").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_file_that_came_up_meanwhile_is_kept(tmp_path: Path) -> None:
    """What was written before it is taken away again."""
    require_room(tmp_path, NEW)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c.yaml").write_text("somebody else's")
    with pytest.raises(UsageError, match=r"cannot write to .*: File exists"):
        write_files(tmp_path, NEW)
    assert contents(tmp_path) == {"b/c.yaml": "somebody else's"}


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_cannot_all_be_written_is_not_written(tmp_path: Path, overwrite: bool) -> None:
    """Not even over files that are to be replaced."""
    (tmp_path / "b").write_text("a file where a folder is needed")
    if overwrite:
        (tmp_path / "a.yaml").write_text("before")
    before = contents(tmp_path)
    with pytest.raises(UsageError, match="cannot write to"):
        write_files(tmp_path, NEW, overwrite=overwrite)
    assert contents(tmp_path) == before


def test_a_replaced_link_leaves_its_target_alone(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("kept")
    (tmp_path / "a.yaml").symlink_to("target")
    write_files(tmp_path, NEW, overwrite=True)
    assert contents(tmp_path) == {**NEW, "target": "kept"}


@pytest.mark.parametrize("link", [False, True], ids=["a file", "a link to nothing"])
def test_room_is_wanted_for_every_name(tmp_path: Path, link: bool) -> None:
    if link:
        (tmp_path / "a.yaml").symlink_to("nothing")
    else:
        (tmp_path / "a.yaml").write_text("")
    with pytest.raises(UsageError, match=r"has a\.yaml already, and nothing is overwritten"):
        require_room(tmp_path, NEW)
    with pytest.raises(UsageError, match="is not a folder"):
        require_room(Path(os.devnull), NEW)
