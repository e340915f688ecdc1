"""Somebody's own file with another text: at once or not at all, with its permissions, through its link."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from rsspot.utils.files import replace_text


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664])
def test_permissions_and_line_ends_stay(mode: int, tmp_path: Path) -> None:
    """Others who could read it still can."""
    file = tmp_path / "pool.yaml"
    file.write_bytes(b"a: 1\r\nb: 2\n")
    file.chmod(mode)
    replace_text(file, "a: 3\r\nb: 2\n", old="a: 1\r\nb: 2\n")
    assert file.read_bytes() == b"a: 3\r\nb: 2\n"
    assert stat.S_IMODE(file.stat().st_mode) == mode


def test_a_link_still_leads_to_its_file(tmp_path: Path) -> None:
    """The file is replaced, and not the link."""
    (tmp_path / "pool.yaml").write_text("old")
    link = tmp_path / "link.yaml"
    link.symlink_to("pool.yaml")
    replace_text(link, "new", old="old")
    assert link.is_symlink()
    assert (tmp_path / "pool.yaml").read_text() == "new"


def test_what_somebody_else_wrote_meanwhile_stays(tmp_path: Path) -> None:
    """And nothing is left behind."""
    file = tmp_path / "pool.yaml"
    file.write_text("theirs")
    with pytest.raises(OSError, match="changed meanwhile"):
        replace_text(file, "new", old="old")
    assert file.read_text() == "theirs"
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_is_gone_is_not_made(tmp_path: Path) -> None:
    """Neither is anything else."""
    with pytest.raises(FileNotFoundError):
        replace_text(tmp_path / "pool.yaml", "new", old="old")
    assert list(tmp_path.iterdir()) == []
