"""The `registrations` commands: how far each machine is, what its registrar was asked, and changes by hand.

They are about the records in the ledger, which the registrar is not asked about. `vmregistrations` lists those of the
same records that are registered, as objects.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import typer

from rsspot.cli.grammar import App
from rsspot.cli.printing import DOCUMENTS
from rsspot.cli.prompts import YES, confirm
from rsspot.cli.session import session
from rsspot.cli_history import shown
from rsspot.errors import RsspotError, UsageError
from rsspot.utils.output import Plain
from rsspot.utils.text import choices, printable

if TYPE_CHECKING:
    from rsspot.state.ledger.protocol import Ledger
    from rsspot.state.ledger.registrations import RegistrationRecord

app = App(help="Show how far each machine is registered, and retry, skip or retire machines.")
MACHINES = shown(typer.Argument(help="VM name, UID, registration key, VMCLOUDSPACE/NAME, or how one of these begins."))
WIDE = ("missing_since", "passed_over", "vm_uid", "token_id", "claimed_by")
WHOLE = ("vm_name", "status", "last_question")


@app.command("list")
def list_(
    status: str | None = shown(typer.Option(None, "--status", help="Only machines of this status, such as failed.")),
) -> None:
    """List every machine that registration has started for, and how far it is."""
    from rsspot.state.ledger.registrations import RegistrationStatus
    from rsspot.workflows.machines import summary_of

    here = session()
    ledger = here.reading_ledger
    known = [*map(str, RegistrationStatus)]
    if status is not None and status not in known:
        raise UsageError(f"there is no status {status!r}", hint=choices("statuses", status, known))
    records = [each for each in ledger.registrations() if status in (None, each.status.value)]
    rows = [summary_of(ledger, each) for each in records]
    here.show(Plain(rows, address="{vmcloudspace}/{vm_name}", extra=WIDE, whole=WHOLE))


@app.command()
def show(machine: str = MACHINES) -> None:
    """Show one machine, and every question that its registrar was asked."""
    from rsspot.workflows.machines import described, machine_called, summary_of

    here = session()
    ledger = here.reading_ledger
    record = machine_called(ledger, machine)
    found = described(ledger, record)
    if here.options.output.partition("=")[0] in DOCUMENTS:
        here.emit(found)
        return
    if here.options.output in ("table", "wide"):
        for name, value in summary_of(ledger, record).items():
            if value is not None and value is not False:
                print(printable(f"{name.replace('_', ' ')}: {value}"))
    columns = ("question", "attempt", "asked_at", "ended_at", "outcome")
    rows = [{name: each[name] for name in columns} | {"key": each["idempotency_key"]} for each in found["questions"]]
    here.show(Plain(rows, address="{question}/{attempt}", extra=("key",), whole=("question", "attempt", "outcome")))


@app.command()
def retry(
    machines: list[str] = MACHINES,
    anew: bool = typer.Option(False, "--anew", help="Begin from the start, with another token."),
) -> None:
    """Let the next apply try failed or skipped machines again, whatever their limit."""
    _change(machines, lambda ledger, each: ledger.retry(each.registration_key, anew=anew))


@app.command()
def skip(machines: list[str] = MACHINES) -> None:
    """Leave machines out that are not registered, until they are retried."""
    _change(machines, lambda ledger, each: ledger.pass_over(each.registration_key))


@app.command()
def retire(machines: list[str] = MACHINES, yes: bool = YES) -> None:
    """Forget that machines are registered. The registrar is not told; one that is still there is registered anew."""
    if not yes:
        confirm(f"retire {len(machines)}")
    _change(machines, _retired)


def _retired(ledger: Ledger, record: RegistrationRecord) -> None:
    if not ledger.retire(record.registration_key):
        name = record.vm_name or record.vm_uid
        raise UsageError(f"{name} is {record.status.value}, not registered", hint="skip it with `registrations skip`")


def _change(machines: list[str], change: Callable[[Ledger, RegistrationRecord], object]) -> None:
    """Change machines by hand, and show how far they are then. One that is not on record changes nothing at all."""
    from rsspot.workflows.machines import machines_called, summary_of

    here = session()
    with here.state() as state:
        ledger = state.ledger
        found = machines_called(ledger, machines)
        failures: list[RsspotError] = []
        for each in found:
            try:
                change(ledger, each)
            except RsspotError as error:
                failures.append(error)
        after = [ledger.registration(each.registration_key) or each for each in found]
        rows = [summary_of(ledger, each) for each in after]
    here.show(Plain(rows, address="{vmcloudspace}/{vm_name}", extra=WIDE, whole=WHOLE))
    if failures:
        raise failures[0]


COMMANDS: dict[str, Any] = {"registrations": app}
