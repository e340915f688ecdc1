"""The pytest plugin as a user of the package meets it: nothing to configure, nothing paid by who does not use it."""

import os
import subprocess
import sys
from pathlib import Path

SUITE = """
import json
import urllib.request

from rsspot import SpotClient


async def test_a_pool_wins(spot_api, spot_client):
    await spot_client.cloudspaces.create("prod", {"region": "us-central-ord-1", "kubernetesVersion": "1.31.1"})
    spot_api.advance(120)
    assert (await spot_client.cloudspaces.get("prod")).status.phase == "NoWinningBids"


def test_a_reply_is_lost(spot_api):
    spot_api.faults.say("GET healthz: 503")
    with urllib.request.urlopen(f"{spot_api.url}/version") as answer:
        assert json.load(answer)["major"] == "1"
"""
SERVED = """
from rsspot import SpotClient


def test_regions():
    with SpotClient() as client:
        assert "us-east-iad-1" in {region.name for region in client.regions.list()}
"""


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A command of a user's, in a folder of theirs."""
    ours = ("RSSPOT_", "PYTEST_", "COVERAGE_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment = {**kept, "HOME": str(folder)}
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def test_fixtures_are_there_without_a_word(tmp_path: Path) -> None:
    """A test file that names `spot_api` and `spot_client` is all there is."""
    (tmp_path / "test_mine.py").write_text(SUITE, encoding="utf-8")
    ended = run(tmp_path, "pytest", "-q", "-o", "asyncio_mode=auto", "-p", "no:cacheprovider")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "2 passed" in ended.stdout


def test_a_suite_runs_against_a_served_simulator(tmp_path: Path) -> None:
    """`rsspot simulator run -- pytest`: a client without arguments finds it, and the exit code is the suite's."""
    (tmp_path / "test_mine.py").write_text(SERVED, encoding="utf-8")
    suite = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    ended = run(tmp_path, "rsspot", "simulator", "run", "--", *suite)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "1 passed" in ended.stdout
    (tmp_path / "test_mine.py").write_text("def test(): assert False", encoding="utf-8")
    assert run(tmp_path, "rsspot", "simulator", "run", "--", *suite).returncode == 1


def test_a_suite_that_uses_none_of_it_pays_nothing(tmp_path: Path) -> None:
    """The plugin is read by every pytest; it brings neither pydantic nor httpx."""
    (tmp_path / "test_other.py").write_text(
        "import sys\ndef test():\n    assert 'rsspot.testing' in sys.modules\n"
        "    assert not {'pydantic', 'httpx', 'yaml', 'sqlite3', 'rsspot.simulator'} & set(sys.modules)\n",
        encoding="utf-8",
    )
    plain = ("-p", "no:hypothesispytest", "-p", "no:schemathesis", "-p", "no:playwright")
    ended = run(tmp_path, "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *plain)
    assert ended.returncode == 0, ended.stdout + ended.stderr
