"""The files of simulators: readable by their owner only, and never written over somebody else's."""

import json
import os
import signal
import stat
import subprocess
import sys

import pytest

from rsspot.utils.files import private_database, private_folder, write_private
from support.caller import Caller

PATIENCE = 60.0


def rsspot(environment, folder, *arguments, umask=0):
    """Run a command in a folder, by default under the most permissive umask."""
    line = [sys.executable, "-m", "rsspot", *arguments]
    return subprocess.run(
        line, cwd=folder, env=environment, umask=umask, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def modes(folder):
    """The permissions of everything in a folder, by relative path."""
    return {str(each.relative_to(folder)): stat.S_IMODE(each.stat().st_mode) for each in folder.rglob("*")}


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_missing_folders_are_private_whatever_the_umask(tmp_path, umask):
    """Also those between, which pathlib creates with the default mode."""
    before = os.umask(umask)
    try:
        private_folder(tmp_path / "a" / "b" / "c")
        write_private(tmp_path / "d" / "e" / "secret", "x")
    finally:
        os.umask(before)
    found = modes(tmp_path)
    assert found.pop("d/e/secret") == 0o600
    assert set(found) == {"a", "a/b", "a/b/c", "d", "d/e"}
    assert set(found.values()) == {0o700}


def test_the_mode_of_an_existing_folder_stays(tmp_path):
    """It was somebody's decision."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o755)
    private_folder(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_a_file_in_place_of_a_folder_is_an_error(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileExistsError):
        private_folder(tmp_path / "file" / "folder")


def test_an_old_database_becomes_private_with_its_journal(tmp_path):
    """SQLite keeps the mode of a journal that a killed process left."""
    for name in ("world.db", "world.db-wal", "world.db-shm"):
        (tmp_path / name).touch(0o644)
    private_database(tmp_path / "world.db")
    assert set(modes(tmp_path).values()) == {0o600}


def test_a_served_world_is_private_from_the_first_byte(serve, tmp_path, monkeypatch):
    """Its database, write-ahead log and shared memory contain passwords and tokens."""
    before = os.umask(0)
    try:
        _, about, _ = serve("--state", str(tmp_path / "made" / "inner" / "world.db"))
    finally:
        os.umask(before)
    Caller(about).create("prod")
    found = modes(tmp_path / "made")
    assert set(found) >= {"inner", "inner/world.db", "inner/world.db-wal", "inner/world.db-shm"}
    assert {name: f"{mode:o}" for name, mode in found.items() if mode & 0o077} == {}
    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == 0o700


def test_a_sandbox_is_private_with_every_folder_above_it(environment, tmp_path):
    """A new ~/.config must not be writable by others."""
    assert rsspot(environment, tmp_path, "--sandbox", "regions", "list").returncode == 0
    assert {name: f"{mode:o}" for name, mode in modes(tmp_path).items() if mode & 0o077} == {}
    assert (tmp_path / ".config" / "rsspot" / "sandbox" / "world.db").is_file()


@pytest.mark.parametrize("option", ["--ready-file", "--kubeconfig"])
@pytest.mark.parametrize("way", ["file", "link"])
def test_a_file_of_somebody_else_is_not_overwritten(environment, tmp_path, option, way):
    """Neither itself nor through a link."""
    notes = tmp_path / "notes.txt"
    # The name of our context in a file does not make it ours: the user may have merged our kubeconfig into theirs.
    notes.write_text("my notes about rsspot-simulator\n")
    path = notes
    if way == "link":
        path = tmp_path / "link"
        path.symlink_to(notes)
    ended = rsspot(environment, tmp_path, "simulator", "serve", option, str(path))
    assert ended.returncode == 3
    assert "was not written by the simulator" in ended.stderr
    assert notes.read_text() == "my notes about rsspot-simulator\n"


@pytest.mark.parametrize("option", ["--ready-file", "--kubeconfig"])
def test_a_file_that_cannot_be_written_is_a_usage_error(environment, tmp_path, option):
    """A folder, for example."""
    ended = rsspot(environment, tmp_path, "simulator", "serve", option, str(tmp_path))
    assert (ended.returncode, "Traceback" in ended.stderr) == (3, False)
    assert option in ended.stderr


def test_a_ready_file_of_an_earlier_server_is_replaced(environment, serve):
    """A killed server leaves it behind."""
    process, about, ready = serve()
    process.kill()
    process.wait(PATIENCE)
    line = [sys.executable, "-m", "rsspot", "simulator", "serve", "--ready-file", str(ready)]
    with subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, text=True) as again:
        try:
            assert "simulator at" in again.stdout.readline()
            assert json.loads(ready.read_text())["pid"] == again.pid != about["pid"]
        finally:
            again.kill()


def test_a_ready_file_that_is_no_longer_ours_stays(serve):
    """Another server, or its user, replaced it in the meantime."""
    process, _, ready = serve()
    ready.write_text("mine")
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
    assert ready.read_text() == "mine"
