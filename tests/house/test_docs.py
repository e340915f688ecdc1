"""The documentation matches the code."""

import re
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from rsspot import errors
from rsspot.applier.events import RunOutcome
from rsspot.cli.app import run
from rsspot.cli.command_table import OWN
from rsspot.client.singleton import close_all_clients, configure
from rsspot.config.reference import markdown
from rsspot.manifests import reference as manifest_reference
from rsspot.manifests.parse import load
from rsspot.models.fields import IMMUTABLE
from rsspot.resources.registry import kinds
from rsspot.settings import ALIASES, CONFIG_PATHS
from rsspot.simulator.accounts.people import SANDBOX_TOKEN, Tenant, accounts_from
from rsspot.simulator.api import Api
from rsspot.simulator.clock import ScaledClock
from rsspot.simulator.faults import KINDS, fault_of
from rsspot.simulator.front.server import Server
from rsspot.simulator.spot.switches import Rules
from rsspot.simulator.world import World
from rsspot.utils.serialization import at_path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new sandbox; commands run in the root of the repository."""
    monkeypatch.setenv("RSSPOT_SANDBOX", str(tmp_path))
    monkeypatch.delenv("PREEMPTION_WEBHOOK", raising=False)
    monkeypatch.chdir(ROOT)


def test_the_readme_shows_the_plan_of_the_shipped_manifests(capsys: pytest.CaptureFixture[str]) -> None:
    """Character by character."""
    assert run(["--sandbox", "plan", "manifests/"]) == 0
    assert capsys.readouterr().out.replace(str(ROOT), "/home/ada/infra") in README


def test_the_readme_shows_an_error_message(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the line and the hint."""
    (tmp_path / "manifests").mkdir()
    # The registrar that the manifests name.
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    for file in (ROOT / "manifests").iterdir():
        text = file.read_text(encoding="utf-8").replace("bidPrice: 0.06", "bidPrice: 0.07")
        (tmp_path / "manifests" / file.name).write_text(text)
    monkeypatch.chdir(tmp_path)
    assert run(["--sandbox", "plan", "manifests/"]) == 5
    assert capsys.readouterr().err in README


def test_every_exit_code_is_documented() -> None:
    """The table has each code that an error or a run can exit with."""
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    raised = {value.exit_code for value in vars(errors).values() if hasattr(value, "exit_code")}
    assert documented == raised | {outcome.exit_code for outcome in RunOutcome} | {0, 2}


def test_every_command_is_mentioned() -> None:
    """In the README or in a page of docs/."""
    pages = README + "".join(page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").glob("*.md")))
    assert not [name for name in OWN if not re.search(rf"\b{name}\b", pages)]


def test_every_authored_kind_and_its_immutable_fields_are_documented() -> None:
    """Readers of docs/manifests.md know which changes cause a replacement."""
    text = (ROOT / "docs" / "manifests.md").read_text(encoding="utf-8")
    for kind in kinds().values():
        if kind.authored and kind.manageable:
            (row,) = re.findall(rf"^\| `{kind.name}` \|.*$", text, re.MULTILINE)
            immutable = {path[0] for path in kind.marked(IMMUTABLE) if len(path) == 1}
            assert set(re.findall(r"`(\w+)`", row.split("|")[-2])) == immutable


def example(name: str) -> Any:
    """A manifest with every field of a kind."""
    return manifest_reference.one_example(yaml.safe_load_all(EXAMPLES[name].read_text(encoding="utf-8")))


EXAMPLES = {file.stem: file for file in sorted((ROOT / "examples" / "kinds").glob("*.yaml"))}


def test_the_tables_of_fields_are_up_to_date() -> None:
    """Every field of every kind; `make reference` writes them."""
    assert manifest_reference.markdown({name: example(name) for name in EXAMPLES}) in (
        ROOT / "docs" / "manifests.md"
    ).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", manifest_reference.reference_kinds())
def test_the_example_of_a_kind_is_valid_and_has_every_field(name: str) -> None:
    """So the example column has no gap, and each value is one that is taken."""
    document = example(name)
    load([EXAMPLES[name], EXAMPLES["CloudSpace"]] if name == "Stack" else [EXAMPLES[name]], environ={})
    for path, _ in manifest_reference.written_fields(name):
        place = [part for each in path for part in ((each[:-2], 0) if each.endswith("[]") else (each,))]
        assert at_path(document, ("spec", *place)) is not None, ".".join(path)


def test_relative_links_of_the_readme_work() -> None:
    """Each one names a file."""
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert targets and all((ROOT / target).exists() for target in targets)


CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")


def test_the_table_of_settings_is_up_to_date() -> None:
    """Every setting with its variables and default; `make reference` writes it."""
    assert markdown() in CONFIGURATION


def test_every_environment_variable_is_documented() -> None:
    """Those of the table, and those read elsewhere in the code."""
    tabled = {variable for variables in ALIASES.values() for variable in variables} | set(CONFIG_PATHS)
    sources = [file.read_text(encoding="utf-8") for file in (ROOT / "src" / "rsspot").rglob("*.py")]
    read = {name for text in sources for name in re.findall(r"environ(?:\.get\(|\[)\"([A-Z_]+)\"", text)}
    mentioned = {name for text in sources for name in re.findall(r"\bRSSPOT_[A-Z_]+[A-Z]\b", text)}
    documented = set(re.findall(r"`([A-Za-z_]+)`", CONFIGURATION))
    assert tabled | (read - {"HOME"}) | mentioned <= documented


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An account of a simulated service, set through the environment like a real one."""
    organizations = [
        Tenant("org_abc123", "my-org", SANDBOX_TOKEN),
        Tenant("org_b", "my-other-org", "other"),
    ]
    # At this time the price of the page's server class is stable, and this time scale keeps it so.
    world = World(clock=ScaledClock(100, start=1_790_000_000.0), organizations=organizations)
    server = Server(Api(world))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    for name in ("BASE_URL", "OAUTH_URL", "FEEDS_URL"):
        monkeypatch.setenv(f"RSSPOT_{name}", server.url)
    monkeypatch.setenv("RSSPOT_REFRESH_TOKEN", SANDBOX_TOKEN)
    folder = tmp_path / ".config" / "rsspot"
    folder.mkdir(parents=True)
    (folder / "config.yml").write_text("activeProfile: default\nprofiles: {default: {}, staging: {org: my-org}}\n")
    yield
    close_all_clients()
    configure()
    server.close()
    world.close()


@pytest.mark.usefixtures("account")
def test_the_python_of_the_sdk_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """Each block by itself, as users would paste it."""
    page = (ROOT / "docs" / "sdk.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 4
    for block in blocks:
        # The token has no access to another organization.
        exec(compile(block.replace("my-other-org", "org_abc123"), "docs/sdk.md", "exec"), {})
    assert capsys.readouterr().out.startswith("0.06 ")


SIMULATOR = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")


def test_the_documented_faults_are_valid() -> None:
    """Each line of the block can be parsed, and every kind of fault is listed."""
    (block,) = re.findall(r"^```\n\[METHOD.*?\n\n(.*?)^```", SIMULATOR, re.MULTILINE | re.DOTALL)
    faults = [fault_of(re.split(r"\s{3,}", line)[0]) for line in block.splitlines()]
    assert {fault.what for fault in faults} == set(KINDS)


def test_the_table_of_rules_is_up_to_date() -> None:
    """Each rule with its default."""
    tabled = dict(re.findall(r"^\| `(\w+)` \| `([\w.]+)` \|", SIMULATOR, re.MULTILINE))
    assert tabled == {name: str(value).lower().removesuffix(".0") for name, value in asdict(Rules()).items()}


def test_the_documented_accounts_file_is_valid(tmp_path: Path) -> None:
    """The YAML block can be loaded as it is."""
    (block,) = re.findall(r"^```yaml\n(.*?)^```", SIMULATOR, re.MULTILINE | re.DOTALL)
    (tmp_path / "accounts.yaml").write_text(block, encoding="utf-8")
    accounts = accounts_from(tmp_path / "accounts.yaml")
    assert [person.email for person in accounts.people] == ["ada@example.com", "bob@example.com"]
