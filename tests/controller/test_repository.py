"""Manifests from git: what is fetched, what is refused, and what becomes of an outage."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from rsspot.controller.repository import GitAddress, Repository, RepositoryError
from rsspot.errors import UsageError


def git(folder: Path, *arguments: str) -> str:
    settings = ["-c", "user.name=Anna", "-c", "user.email=anna@example.com", "-c", "commit.gpgsign=false"]
    ended = subprocess.run(["git", *settings, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return ended.stdout.strip()


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A repository with one commit on main."""
    folder = tmp_path / "origin"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", "main")
    commit(folder, "one")
    return folder


def commit(folder: Path, text: str) -> str:
    (folder / "stack.yaml").write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", text)
    return git(folder, "rev-parse", "HEAD")


def checkout(origin: Path, tmp_path: Path, ref: str = "main") -> Repository:
    folder = tmp_path / "checkout"
    folder.mkdir()
    return Repository(GitAddress(origin.as_uri(), ref), folder)


async def test_each_update_has_the_newest_commit_and_nothing_else(origin: Path, tmp_path: Path) -> None:
    repository = checkout(origin, tmp_path)
    assert await repository.update() == ""
    assert (repository.folder / "stack.yaml").read_text() == "one"
    (repository.folder / "stray.yaml").write_text("not of the repository")
    (repository.folder / "stack.yaml").write_text("changed by hand")
    newest = commit(origin, "two")
    assert await repository.update() == ""
    assert repository.revision == newest
    assert {each.name: each.read_text() for each in repository.folder.iterdir() if each.is_file()} == {
        "stack.yaml": "two"
    }


async def test_a_history_that_was_rewritten_is_followed(origin: Path, tmp_path: Path) -> None:
    repository = checkout(origin, tmp_path)
    await repository.update()
    git(origin, "commit", "--quiet", "--amend", "--message", "another")
    assert await repository.update() == ""
    assert repository.revision == git(origin, "rev-parse", "HEAD")


async def test_tags_and_the_default_branch(origin: Path, tmp_path: Path) -> None:
    git(origin, "tag", "v1")
    commit(origin, "two")
    repository = checkout(origin, tmp_path, "v1")
    await repository.update()
    assert (repository.folder / "stack.yaml").read_text() == "one"
    repository.address = GitAddress(origin.as_uri())
    await repository.update()
    assert (repository.folder / "stack.yaml").read_text() == "two"


async def test_an_outage_leaves_the_last_commit_and_is_told(origin: Path, tmp_path: Path) -> None:
    repository = checkout(origin, tmp_path)
    await repository.update()
    revision = repository.revision
    origin.rename(tmp_path / "away")
    assert "failed" in await repository.update()
    assert repository.revision == revision
    assert (repository.folder / "stack.yaml").read_text() == "one"
    (tmp_path / "away").rename(origin)
    assert await repository.update() == ""


async def test_without_any_commit_there_is_nothing_to_watch(tmp_path: Path) -> None:
    repository = checkout(tmp_path / "nowhere", tmp_path)
    with pytest.raises(RepositoryError, match="git fetch of file://"):
        await repository.update()
    with pytest.raises(RepositoryError):
        await repository.update()


async def test_hooks_of_a_repository_do_not_run(origin: Path, tmp_path: Path) -> None:
    repository = checkout(origin, tmp_path)
    await repository.update()
    hook = repository.folder / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o700)
    commit(origin, "two")
    await repository.update()
    assert not (tmp_path / "ran").exists()


async def test_links_are_written_as_files(origin: Path, tmp_path: Path) -> None:
    """So that none leads out of the repository."""
    (tmp_path / "outside").write_text("secret")
    (origin / "link.yaml").symlink_to(tmp_path / "outside")
    commit(origin, "two")
    repository = checkout(origin, tmp_path)
    await repository.update()
    assert not (repository.folder / "link.yaml").is_symlink()


async def test_without_git_it_is_said(origin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RepositoryError, match="cannot run git"):
        await checkout(origin, tmp_path).update()


@pytest.mark.parametrize(
    "text, url, ref",
    [
        ("https://example.com/infra.git@main", "https://example.com/infra.git", "main"),
        ("https://example.com/infra.git", "https://example.com/infra.git", "HEAD"),
        ("https://anna@example.com/infra@release/1.2", "https://anna@example.com/infra", "release/1.2"),
        ("https://anna@example.com/infra", "https://anna@example.com/infra", "HEAD"),
        ("git@example.com:team/infra.git@v1.0", "git@example.com:team/infra.git", "v1.0"),
        ("git@example.com:team/infra.git", "git@example.com:team/infra.git", "HEAD"),
        ("ssh://git@example.com:22/infra@0123456789abcdef", "ssh://git@example.com:22/infra", "0123456789abcdef"),
        ("/srv/infra@main", "/srv/infra", "main"),
        ("../infra", "../infra", "HEAD"),
    ],
)
def test_addresses(text: str, url: str, ref: str) -> None:
    assert GitAddress.parse(text) == GitAddress(url, ref)


@pytest.mark.parametrize(
    "text, words",
    [
        ("https://anna:hunter2@example.com/infra@main", "password"),
        ("--upload-pack=touch /tmp/x@main", "no URL"),
        ("https://example.com/infra@-x", "no branch"),
        ("https://example.com/infra@a..b", "no branch"),
        ("@main", "no "),
        ("", "no URL"),
    ],
)
def test_what_is_no_address(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        GitAddress.parse(text)
    assert "hunter2" not in str(refused.value)


async def test_a_url_that_would_run_a_program_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "checkout"
    folder.mkdir()
    repository = Repository(GitAddress(f"ext::touch {tmp_path}/ran"), folder)
    with pytest.raises(RepositoryError):
        await repository.update()
    assert not (tmp_path / "ran").exists()
