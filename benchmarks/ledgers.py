"""What a ledger costs in SQLite and in PostgreSQL: milliseconds a step, and its share of an apply. Asserts nothing.

The server is made in a temporary folder, waits for the disk as it does by default, and is reached by a socket. A step
is its intent, its answer and its end; applies make many at a time, and what these write together is committed together.
Run it with: PYTHONPATH=tests python benchmarks/ledgers.py
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from measuring import RSSPOT, cost, simulator, tell
from stack import placed

from rsspot.models.refs import Ref
from rsspot.state.ledger import open_ledger
from rsspot.state.ledger.protocol import Holder, Lease, Ledger, OwnedObject, StepRecord, StepState
from support import postgres

STEPS, ROUNDS, CREATES = 1_000, 3, 300
WIDTHS = (1, 32)
"""How many steps are under way at a time."""
NOW = datetime(2026, 1, 1, tzinfo=UTC)
APPLY = [*RSSPOT, "apply", "--yes", "--wait=none", "-o", "json"]


@contextmanager
def places() -> Iterator[dict[str, Callable[[], str]]]:
    """A new ledger of each sort, each time."""
    found = postgres.programs()
    assert found is not None, "PostgreSQL is not installed"
    postgres.SETTINGS["fsync"] = "on"
    with tempfile.TemporaryDirectory() as folder, closing(postgres.PostgresServer(found)) as server:

        def in_file() -> str:
            return tempfile.mkdtemp(dir=folder) + "/state.db"

        yield {"sqlite": in_file, "postgresql": server.fresh}


def seconds(ledger: Ledger, width: int) -> float:
    """What all steps of a run take in the ledger alone."""
    lease = ledger.acquire("spot/acme/web", Holder("one", "here", 1), NOW, 60)
    refs = [Ref("CloudSpace", f"edge-{number}") for number in range(STEPS)]
    records = [StepRecord(number, f"cloudspace/{ref.name}", ref, "create") for number, ref in enumerate(refs)]
    run = ledger.begin(lease, "apply", {"digest": "sha256:1", "changes": []}, records)
    began = time.perf_counter()
    for start in range(0, STEPS, width):
        _steps(ledger, run, records[start : start + width], lease)
    return time.perf_counter() - began


def _steps(ledger: Ledger, run: int, records: list[StepRecord], lease: Lease) -> None:
    """Steps that are under way at the same time: all intents are one commit, and so is all that comes after."""
    with ledger.together():
        attempts = [ledger.intend(run, step.seq, lease=lease) for step in records]
    with ledger.together():
        for step, attempt in zip(records, attempts, strict=True):
            owned = OwnedObject(step.ref, step.address, "uid", {"spec/region": "dfw"})
            ledger.answered(run, step.seq, attempt, "ok")
            ledger.settle(run, step.seq, StepState.DONE, owned=owned, lease=lease)


def applied(url: str) -> float:
    """What an apply of new pools takes with a ledger, from its start to its end."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with simulator(folder) as service:
            spaces, pools = placed(service.listed("serverclasses"), CREATES)
            (folder / "groups.yaml").write_text(spaces)
            (folder / "stack.yaml").write_text(spaces + pools)
            cost([*APPLY, "--ledger", url, str(folder / "groups.yaml")], service.environ)
            return cost([*APPLY, "--ledger", url, str(folder / "stack.yaml")], service.environ).wall


def main() -> None:
    """Print the results of each ledger, in turns."""
    with places() as made:
        for width in WIDTHS:
            taken: dict[str, list[float]] = {name: [] for name in made}
            for _ in range(ROUNDS):
                for name, place in made.items():
                    with closing(open_ledger(place())) as ledger:
                        taken[name].append(seconds(ledger, width))
            for name, rounds in taken.items():
                each = statistics.median(rounds) / STEPS
                print(f"{name:<11} {width:>3} at a time: {each * 1000:.2f} ms a step")
                tell("ledger", subject=name, width=width, milliseconds=each * 1000)
        for name, place in made.items():
            whole = statistics.median(applied(place()) for _ in range(ROUNDS))
            share = statistics.median(taken[name]) / STEPS * CREATES / whole
            print(f"{name:<11} apply of {CREATES} objects: {whole:.2f} s, {share:.1%} of it in the ledger")
            tell("apply with ledger", subject=name, seconds=whole, share=share)


if __name__ == "__main__":
    main()
