"""Private files: whose symbolic links are followed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rsspot.utils.files import write_private

OTHER = 12_345
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@AS_ROOT
@pytest.mark.parametrize(("link", "target"), [(OTHER, 0), (0, OTHER), (OTHER, OTHER)])
def test_a_link_of_somebody_else_is_replaced(tmp_path: Path, link: int, target: int) -> None:
    """In a shared folder, it would lead to a file of the victim's, and that would be overwritten."""
    victim, name = tmp_path / "victim", tmp_path / "plan.json"
    victim.write_text("precious")
    name.symlink_to(victim)
    os.chown(victim, target, -1)
    os.lchown(name, link, -1)
    write_private(name, "plan", follow=False)
    assert victim.read_text() == "precious"
    assert not name.is_symlink()
    assert name.read_text() == "plan"
    assert name.stat().st_mode & 0o777 == 0o600


@AS_ROOT
def test_a_dangling_link_of_somebody_else_is_replaced(tmp_path: Path) -> None:
    """It would make a file where its owner wants one."""
    name = tmp_path / "plan.json"
    name.symlink_to(tmp_path / "elsewhere")
    os.lchown(name, OTHER, -1)
    write_private(name, "plan", follow=False)
    assert not (tmp_path / "elsewhere").exists()
    assert name.read_text() == "plan"


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("follow", [True, False])
def test_a_link_of_ones_own_is_followed(tmp_path: Path, exists: bool, follow: bool) -> None:
    """The link stays, and its target is written."""
    name, target = tmp_path / "link", tmp_path / "target"
    name.symlink_to(target)
    if exists:
        target.write_text("before")
    write_private(name, "after", follow=follow)
    assert name.is_symlink()
    assert target.read_text() == "after"


@AS_ROOT
def test_a_config_file_follows_any_link(tmp_path: Path) -> None:
    """It may belong to a dotfile manager."""
    name, target = tmp_path / "link", tmp_path / "target"
    name.symlink_to(target)
    os.lchown(name, OTHER, -1)
    write_private(name, "after")
    assert name.is_symlink()
