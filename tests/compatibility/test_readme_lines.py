"""The lines of the README that rsspot's users began with: each snippet and each command, as written there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from rsspot.simulator.accounts.people import SANDBOX_ORGANIZATION, SANDBOX_TOKEN
from rsspot.testing import SimulatedSpot

ROOT = Path(__file__).parents[2]
BLOCKING = """
from rsspot import SpotClient

client = SpotClient(profile="default")
orgs = client.organizations.list()
print([org.name for org in orgs.organizations])
client.close()
"""
ASYNC_ON_BOTH = """
import asyncio
from rsspot import SpotClient

async def main() -> None:
    client = SpotClient(profile="default")
    orgs = await client.aorganizations.list()
    print([org.name for org in orgs.organizations])
    await client.aclose()

asyncio.run(main())
"""
ASYNC_ONLY = """
import asyncio
from rsspot import AsyncSpotClient

async def main() -> None:
    async with AsyncSpotClient(profile="default") as client:
        regions = await client.regions.list()
        print([r.name for r in regions])

asyncio.run(main())
"""
TOOLS = ("uv run ruff check src tests", "uv run mypy src", "uv run pytest -q")
CONFIGURE = """\
uv run rsspot configure \\
  --profile default \\
  --org <org-name> \\
  --region us-central-dfw-1 \\
  --refresh-token "$SPOT_REFRESH_TOKEN"
"""
LIST_ORGANIZATIONS = "uv run rsspot organizations list --output table"
SCRIPTS = "uv run python scripts/sync_openapi.py\nuv run python scripts/generate_openapi_index.py"


@pytest.fixture
def account(spot_api: SimulatedSpot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimulatedSpot:
    """A home with a profile for the simulated service, and no variable that says otherwise."""
    for name in [
        name for name in os.environ if name.startswith(("RSSPOT_", "SPOT_", "RACKSPACE_", "RXTSPOT_", "XDG_"))
    ]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    profile = {"org": SANDBOX_ORGANIZATION, "region": "us-central-dfw-1", "refresh_token": SANDBOX_TOKEN}
    urls = {"base_url": spot_api.url, "oauth_url": spot_api.url}
    folder = tmp_path / ".config" / "rsspot"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"profiles": {"default": profile | urls}}))
    (folder / "config.json").chmod(0o600)
    return spot_api


@pytest.mark.parametrize("snippet", [BLOCKING, ASYNC_ON_BOTH], ids=["blocking", "async"])
def test_organizations_are_printed(account: SimulatedSpot, capsys: pytest.CaptureFixture[str], snippet: str) -> None:
    """By either form of the unified client."""
    exec(compile(snippet, "readme", "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out == f"['{SANDBOX_ORGANIZATION}']\n"


def test_regions_are_printed(account: SimulatedSpot, capsys: pytest.CaptureFixture[str]) -> None:
    """By the async client."""
    exec(compile(ASYNC_ONLY, "readme", "exec"), {"__name__": "__main__"})
    printed = capsys.readouterr().out
    assert "'us-central-dfw-1'" in printed
    assert printed.count("'") == 2 * len(account.world.store.objects("regions", None))


def test_the_entry_point_of_the_registration_workflow() -> None:
    """`rsspot.workflows.RegistrationWorkflow`."""
    import rsspot
    import rsspot.workflows

    assert rsspot.workflows.RegistrationWorkflow is rsspot.RegistrationWorkflow


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The project with its settings and scripts, its environment, and a package and a test of a few lines."""
    folder = tmp_path / "checkout"
    for name in ("src/rsspot", "tests"):
        (folder / name).mkdir(parents=True)
    for name in ("pyproject.toml", "README.md", "LICENSE", "src/rsspot/constants.py", "src/rsspot/py.typed"):
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    (folder / "src" / "rsspot" / "__init__.py").write_text('"""Names."""\n')
    (folder / "tests" / "test_one.py").write_text('"""One."""\n\n\ndef test_one() -> None:\n    assert True\n')
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


def run(commands: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run commands in a shell, with the uv of this environment, which is to install nothing."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COVERAGE_"))}
    variables = {**inherited, "PATH": path, "UV_NO_SYNC": "1", "UV_OFFLINE": "1", **environment}
    variables.pop("VIRTUAL_ENV", None)
    return subprocess.run(
        ["sh", "-ec", commands], cwd=folder, env=variables, capture_output=True, text=True, timeout=100, check=False
    )


def name_of(requirement: str) -> str:
    """The name of a requirement, as folders of installed packages have it."""
    return re.split(r"[\[><=]", requirement)[0].lower().replace("_", "-").replace(".", "-")


def wheel(folder: Path, name: str, version: str) -> None:
    """An empty package, for a resolver to choose."""
    stem = f"{name.replace('-', '_').replace('.', '_')}-{version}"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    extras = "".join(f"Provides-Extra: {extra}\n" for extra in ("crypto", "nodejs"))
    tags = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{stem}.dist-info/METADATA", metadata + extras)
        archive.writestr(f"{stem}.dist-info/WHEEL", tags)
        archive.writestr(f"{stem}.dist-info/RECORD", "")


def test_uv_installs_what_development_needs(checkout: Path, tmp_path: Path) -> None:
    """`uv sync`, from a folder of empty packages instead of an index: the tools are there, and nothing else."""
    settings = tomllib.loads((checkout / "pyproject.toml").read_text())
    groups, run_time = settings["dependency-groups"], settings["project"]["dependencies"]
    extras = settings["project"]["optional-dependencies"]
    listed = [line for lines in (run_time, *extras.values(), *groups.values()) for line in lines]
    (packages := tmp_path / "packages").mkdir()
    for line in listed:
        if isinstance(line, str):
            wheel(packages, name_of(line), re.findall(r">=([\d.]+)", line)[0])
    (checkout / ".venv").unlink()
    # To build the project, even for its version, its build backend would have to be a real one.
    unbuilt = (checkout / "pyproject.toml").read_text().replace('dynamic = ["version"]', 'version = "1"')
    (checkout / "pyproject.toml").write_text(f"{unbuilt}\n[tool.uv]\npackage = false\n")
    offline = {"UV_NO_SYNC": "0", "UV_NO_INDEX": "1", "UV_FIND_LINKS": str(packages)}
    ended = run("uv sync", checkout, **offline, UV_CACHE_DIR=str(tmp_path / "cache"))
    assert ended.returncode == 0, ended.stderr
    wanted = [*run_time, *groups["build"], *groups["test"], *groups["lint"]]
    installed = [each.name.partition("-")[0] for each in checkout.glob(".venv/lib/*/site-packages/*.dist-info")]
    assert {name.replace("_", "-") for name in installed} == {name_of(each) for each in wanted}


@pytest.mark.parametrize("command", TOOLS)
def test_the_tools_run(checkout: Path, command: str) -> None:
    """With the settings of the project."""
    ended = run(command, checkout)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_a_profile_is_configured_from_arguments(account: SimulatedSpot, checkout: Path, tmp_path: Path) -> None:
    """With one line about the token in them. It goes to the profile, and nowhere else."""
    (tmp_path / ".config" / "rsspot" / "config.json").unlink()
    urls = {"RSSPOT_BASE_URL": account.url, "RSSPOT_OAUTH_URL": account.url, "SPOT_REFRESH_TOKEN": SANDBOX_TOKEN}
    ended = run(CONFIGURE.replace("<org-name>", SANDBOX_ORGANIZATION), checkout, **urls)
    assert ended.returncode == 0, ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert "can see" in ended.stderr
    written = tmp_path / ".config" / "rsspot" / "config.yml"
    assert SANDBOX_TOKEN in written.read_text()
    assert written.stat().st_mode & 0o777 == 0o600
    history = run("rsspot history list -o json", checkout, **urls)
    assert SANDBOX_TOKEN not in ended.stdout + ended.stderr + history.stdout + history.stderr


def test_organizations_are_listed_as_a_table(account: SimulatedSpot, checkout: Path) -> None:
    """By the command line."""
    ended = run(LIST_ORGANIZATIONS, checkout)
    assert ended.returncode == 0, ended.stderr
    assert SANDBOX_ORGANIZATION in ended.stdout


def test_the_openapi_scripts_run(account: SimulatedSpot, checkout: Path) -> None:
    """Without arguments, against the service that RSSPOT_BASE_URL names."""
    token = account.world.identity.id_token(account.world.organizations[0])
    ended = run(SCRIPTS, checkout, RSSPOT_BASE_URL=account.url, RSSPOT_ID_TOKEN=token)
    assert ended.returncode == 0, ended.stderr
    assert {file.name for file in (checkout / "openapi").iterdir()} >= {"openapi.json", "openapi_index.json"}
