"""What each command group prints in each format, as recorded: `RSSPOT_RECORD=1` records it anew."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing, redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rsspot.cli.app import run
from rsspot.models.refs import Ref
from rsspot.simulator.clock import ManualClock
from rsspot.simulator.world import World
from rsspot.state.database import Database
from rsspot.state.history import HistoryEntry
from rsspot.state.ledger.protocol import Holder, StepRecord, StepState
from rsspot.state.ledger.sqlite import SqliteLedger
from rsspot.state.store import StateStore
from rsspot.utils.clock import stamp
from rsspot.utils.files import write_private
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
CONFIG = """\
activeProfile: work
profiles:
  work: {organization: acme, region: uk-lon-1, refreshToken: canary-refresh-token, history: false}
  lab: {organization: casa}
"""
COMMANDS = ("plan infra/", "spotnodepools patch edge/workers ***", "apply infra/ --yes -o json")
POOL = "f7a55b6a-ebbd-5d91-a2a6-36faab22903a"
MADE_BY = {"user": "ada@laptop", "ci": "https://ci.example.com/jobs/7", "commit": "5f3c2a1b9d"}
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
    "pricing build --nodes 3",
    "ledger registrations",
    "registrations list",
)
ONE = (
    "cloudspaces get edge",
    "spotnodepools get edge/workers",
    "serverclasses get gp.vs1.large-dfw",
    "pricing get gp.vs1.large-dfw",
    "organizations get sandbox",
)
LONG = {f"{line} list": f"{line} list --region uk-lon-1" for line in ("serverclasses", "pricing")} | {
    f"pricing {which}": f"pricing {which} --region uk-lon-1" for which in ("percentiles", "comparable")
}
"""Lists of which only a table is recorded whole, and every other format for one region."""
ACCOUNT = (
    "history list",
    "config history info",
    "ledger runs",
    "ledger show 2",
    "ledger steps 2",
    "ledger verify",
    "ledger prune --keep 4h30m --dry-run",
    "config explain",
    "config info",
    "config path",
    "profiles list",
    "profiles show",
)
"""Commands about records and settings, which the sandbox has none of."""
FORMATS = ("wide", "json", "yaml", "name", "csv", "jsonpath")
ITEMS = '{{range .items[*]}}{{.{0}}}{{"\\t"}}{{.{1}}}{{"\\n"}}{{end}}'
TEMPLATES = {
    "pricing list": ITEMS.format("server_class", "market"),
    "pricing percentiles": ITEMS.format("server_class", "p50"),
    "pricing comparable": ITEMS.format("server_class", "price"),
    "pricing build": ITEMS.format("strategy", "hourly"),
    "pricing get": "{.server_class}: {.market}",
    "history list": ITEMS.format("command", "exit_code"),
    "ledger runs": ITEMS.format("id", "outcome"),
    "ledger steps": ITEMS.format("address", "attempts[*].outcome"),
    "ledger verify": "{.ok}",
    "ledger prune": "{.forgotten}",
    "ledger show": "{.run.outcome}: {.steps[*].address}",
    "config explain": ITEMS.format("setting", "source"),
    "config history": "{.entries} of {.maxEntries}",
    "config info": "{.organization}, {.region}",
    "config path": "{.config}",
    "profiles list": ITEMS.format("name", "inUse"),
    "profiles show": "{.organization}, {.region}",
}
"""Command -> the JSONPath that is recorded; for all others it is that of a list of objects."""
OBJECTS = ITEMS.format("metadata.name", "spec.region")


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


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a config file, and a state.db beside it with a history and two runs. It records no command."""
    folder = tmp_path_factory.mktemp("account")
    write_private(folder / "config.yml", CONFIG)
    with StateStore(folder / "state.db") as state:
        for at, command in enumerate(COMMANDS):
            started = stamp(datetime.fromtimestamp(START + 60 * at, UTC))
            state.history.add(HistoryEntry(started, command, "work", at % 2, 1.5 + at))
    clock = ManualClock(START)
    with closing(SqliteLedger(Database(folder / "state.db"), clock)) as ledger:
        for outcome in ("failed", "done"):
            _run(ledger, clock, outcome)
    return folder


def _run(ledger: SqliteLedger, clock: ManualClock, outcome: str) -> None:
    """A run of two steps, of which the second is tried twice."""
    lease = ledger.acquire("spot/acme/web", Holder("worker", "laptop", 4711), clock.now(), 60)
    steps = [
        StepRecord(0, "cloudspace/edge", Ref("CloudSpace", "edge"), "create"),
        StepRecord(1, "spotnodepool/edge/workers", Ref("SpotNodePool", POOL), "create"),
    ]
    run = ledger.begin(lease, "apply", {"digest": "sha256:" + "0" * 64, "madeBy": MADE_BY}, steps)
    for seq, answers in enumerate((["ok"], ["ServerError: 503 upstream unavailable", "ok"])):
        for answer in answers:
            clock.advance(20)
            ledger.answered(run, seq, ledger.intend(run, seq), answer)
        clock.advance(1.25)
        ledger.settle(run, seq, StepState.FAILED if seq and outcome == "failed" else StepState.DONE, detail=outcome)
    ledger.finish(run, outcome)
    ledger.release(lease)
    clock.advance(3600)


@pytest.fixture(autouse=True)
def surroundings(here: Path, seeded: Path, recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands of a test find this sandbox, and this account in the working directory."""
    monkeypatch.setenv("RSSPOT_SANDBOX", str(seeded))
    monkeypatch.setenv("RSSPOT_CONFIG", "config.yml")
    monkeypatch.chdir(recorded)


def printed(line: str, output: str = "table", width: int | None = None) -> str:
    """What a command prints: to a terminal of this width, or to a file."""
    out, err = io.StringIO(), io.StringIO()
    where = [] if line in ACCOUNT else ["--sandbox"]
    command = [*where, *line.split(), "-o", output]
    with redirect_stderr(err), redirect_stdout(out) if width is None else terminal(width) as stream:
        code = run(command, ManualClock(START + 5 * 3600))
    shown = f" ({width} columns)" if width else ""
    said = "".join(f"stderr: {text}\n" for text in err.getvalue().splitlines())
    assert "internal error" not in said
    return f"$ rsspot {line} -o {output}{shown}\n{stream.getvalue()}{said}" + (f"exit: {code}\n" if code else "")


def template(line: str) -> str:
    """The JSONPath of a command."""
    return TEMPLATES.get(" ".join(line.split()[:2]), OBJECTS)


def file_of(line: str, what: str) -> Path:
    words = line.partition(" --")[0].split()
    return FOLDER / f"{'_'.join(words if words[0] == 'config' else words[:2])}_{what}.txt"


@pytest.mark.parametrize("width", [NARROW, WIDE])
@pytest.mark.parametrize("line", [*LISTS, *ONE, *ACCOUNT])
def test_a_table_is_as_recorded(line: str, width: int) -> None:
    """No line of a list is longer than the terminal is wide."""
    text = printed(line, width=width)
    if line in LISTS:
        assert all(len(row) <= width for row in text.splitlines()[1:] if not row.startswith("stderr: "))
    same_as_recorded(file_of(line, f"table_{width}"), text)


@pytest.mark.parametrize("output", FORMATS)
@pytest.mark.parametrize("line", [*LISTS, *ONE, *ACCOUNT])
def test_a_format_is_as_recorded(line: str, output: str) -> None:
    """Whatever is recorded says nothing of secrets, and every time in it ends in Z."""
    text = printed(LONG.get(line, line), f"jsonpath={template(line)}" if output == "jsonpath" else output)
    assert "hooks.example.com" not in text and "canary" not in text
    assert "+00:00" not in text
    same_as_recorded(file_of(line, output), text)


def test_nothing_is_recorded_that_no_test_prints() -> None:
    """A file whose command is gone goes with it."""
    endings = (*FORMATS, f"table_{NARROW}", f"table_{WIDE}")
    assert set(FOLDER.iterdir()) == {file_of(line, ending) for line in (*LISTS, *ONE, *ACCOUNT) for ending in endings}


@pytest.mark.parametrize("line", LISTS)
def test_no_line_is_cut_where_there_is_no_terminal(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file has no width, whatever COLUMNS says."""
    monkeypatch.setenv("COLUMNS", "20")
    assert "…" not in printed(line)
