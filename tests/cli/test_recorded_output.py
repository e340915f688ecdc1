"""What each command group prints in each format, as recorded: `RSSPOT_RECORD=1` records it anew."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from rsspot.cli.app import run
from rsspot.simulator.clock import ManualClock
from rsspot.simulator.world import World
from support.recorded import same_as_recorded
from support.terminal_stream import terminal

FOLDER = Path(__file__).parent / "recorded"
START = 1_790_000_000.0
"""When the recorded world begins. Its clock stands still while commands run, so that ages are always the same."""
NARROW, WIDE = 60, 160
STACK = """
kind: List
items:
- kind: CloudSpace
  metadata: {name: edge}
  spec: {region: us-central-dfw-1, kubernetesVersion: 1.33.0, webhook: "https://hooks.example.com/secret"}
- kind: CloudSpace
  metadata: {name: archive}
  spec: {region: us-central-ord-1, kubernetesVersion: 1.31.1}
- kind: SpotNodePool
  metadata: {name: workers}
  spec: {cloudSpace: edge, serverClass: gp.vs1.large-dfw, desired: 2, bidPrice: 0.03}
- kind: SpotNodePool
  metadata: {name: workers}
  spec: {cloudSpace: archive, serverClass: gp.vs1.large-ord, desired: 1, bidPrice: 0.03}
- kind: SpotNodePool
  metadata: {name: batch}
  spec:
    cloudSpace: edge
    serverClass: ch.vs1.large-dfw
    bidPrice: 0.02
    autoscaling: {enabled: true, minNodes: 1, maxNodes: 5}
- kind: OnDemandNodePool
  metadata: {name: steady}
  spec: {cloudSpace: edge, serverClass: gp.vs1.medium-dfw, desired: 1}
- kind: AutopilotNodePool
  metadata: {name: pilot}
  spec: {cloudSpace: archive, region: us-central-ord-1, vcpu: {total: 8}, budgetPerHour: "1.5"}
- kind: VMSSHKey
  metadata: {name: ops}
  spec:
    publicKey: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJlZWZiZWVmYmVlZmJlZWZiZWVmYmVlZmJlZWZiZWVmYmVl ops
    description: The team
- kind: VMCloudSpace
  metadata: {name: machines}
  spec: {region: us-central-dfw-1, vmSshKeyRef: {name: ops}}
- kind: VMPool
  metadata: {name: runners}
  spec: {vmCloudSpace: machines, serverClass: gp.vs1.medium-dfw, desired: 2, bidPrice: 0.06, vmImage: ubuntu-24.04}
"""
LISTS = (
    "cloudspaces list",
    "spotnodepools list",
    "ondemandnodepools list",
    "autopilotnodepools list",
    "vmcloudspaces list",
    "vmpools list",
    "vmsshkeys list",
    "vmregistrations list",
    "regions list",
    "serverclasses list",
    "organizations list",
    "inventory list",
    "events list",
    "pricing list",
    "pricing percentiles",
    "pricing comparable",
    "ledger registrations",
    "profiles list",
)
ONE = (
    "cloudspaces get edge",
    "spotnodepools get edge/workers",
    "serverclasses get gp.vs1.large-dfw",
    "pricing get gp.vs1.large-dfw",
    "organizations get sandbox",
)
LONG = ("serverclasses list", "pricing list", "pricing percentiles", "pricing comparable")
"""Lists of which only a table is recorded whole: what else they print is that of `get`."""
FORMATS = (
    "wide",
    "json",
    "yaml",
    "name",
    "csv",
    'jsonpath={range .items[*]}{.metadata.name}{"\\t"}{.spec.region}{"\\n"}{end}',
)


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A sandbox in which everything has been running for five hours."""
    folder = tmp_path_factory.mktemp("recorded")
    sandbox = folder / "sandbox"
    sandbox.mkdir()
    (folder / "stack.yaml").write_text(STACK.replace("- kind", "- apiVersion: ngpc.rxt.io/v1\n  kind"))
    World(sandbox / "world.db", clock=ManualClock(START)).close()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HOME", str(folder))
        environment.setenv("RSSPOT_SANDBOX", str(sandbox))
        with redirect_stdout(io.StringIO()):
            assert run(["--sandbox", "apply", str(folder / "stack.yaml"), "--yes", "--wait", "none"]) == 0
            assert run(["--sandbox", "simulator", "advance", "5h12m"]) == 0
    yield sandbox


@pytest.fixture(autouse=True)
def sandbox(here: Path, seeded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands of a test find this sandbox."""
    monkeypatch.setenv("RSSPOT_SANDBOX", str(seeded))


def printed(line: str, output: str = "table", width: int | None = None) -> str:
    """What a command prints: to a terminal of this width, or to a file."""
    out, err = io.StringIO(), io.StringIO()
    command = ["--sandbox", *line.split(), "-o", output]
    with redirect_stderr(err):
        if width is None:
            with redirect_stdout(out):
                code = run(command)
        else:
            with terminal(width) as out:
                code = run(command)
    shown = f" ({width} columns)" if width else ""
    said = "".join(f"stderr: {text}\n" for text in err.getvalue().splitlines())
    return f"$ rsspot {line} -o {output}{shown}\n{out.getvalue()}{said}" + (f"exit: {code}\n" if code else "")


def file_of(line: str, what: str) -> Path:
    return FOLDER / f"{'_'.join(line.split()[:2])}_{what}.txt"


@pytest.mark.parametrize("width", [NARROW, WIDE])
@pytest.mark.parametrize("line", [*LISTS, *ONE])
def test_a_table_is_as_recorded(line: str, width: int) -> None:
    """No line of a list is longer than the terminal is wide."""
    text = printed(line, width=width)
    if line in LISTS:
        assert all(len(row) <= width for row in text.splitlines()[1:] if not row.startswith("stderr: "))
    same_as_recorded(file_of(line, f"table_{width}"), text)


@pytest.mark.parametrize("output", FORMATS)
@pytest.mark.parametrize("line", [line for line in (*LISTS, *ONE) if line not in LONG])
def test_a_format_is_as_recorded(line: str, output: str) -> None:
    """Whatever is recorded says nothing of secrets."""
    text = printed(line, output)
    assert "hooks.example.com" not in text
    same_as_recorded(file_of(line, output.partition("=")[0]), text)


def test_nothing_is_recorded_that_no_test_prints() -> None:
    """A file whose command is gone goes with it."""
    expected = {file_of(line, f"table_{width}") for line in (*LISTS, *ONE) for width in (NARROW, WIDE)}
    expected |= {
        file_of(line, output.partition("=")[0]) for line in (*LISTS, *ONE) if line not in LONG for output in FORMATS
    }
    assert set(FOLDER.iterdir()) == expected


@pytest.mark.parametrize("line", LISTS)
def test_no_line_is_cut_where_there_is_no_terminal(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file has no width, whatever COLUMNS says."""
    monkeypatch.setenv("COLUMNS", "20")
    assert "…" not in printed(line)
