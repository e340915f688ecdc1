"""The `lock` commands: who may apply a stack, keeping everybody out, and taking a lease away. Contain no rules."""

from __future__ import annotations

from typing import Any

import typer

from rsspot.cli.grammar import App
from rsspot.cli.plan_options import stack_name
from rsspot.cli.prompts import YES, confirm
from rsspot.cli.session import session
from rsspot.cli_history import shown
from rsspot.errors import UsageError
from rsspot.utils.clock import stamp
from rsspot.utils.output import Plain
from rsspot.utils.text import printable

app = App(help="See and change who may apply a stack.")
STACK = shown(typer.Option(None, "--stack", metavar="NAME", help="The stack.", show_default=False))


@app.command()
def status(stack: str | None = STACK) -> None:
    """List the leases that are held: of applies that run, of those that were killed, and of people."""
    from rsspot.workflows.locks import locks

    here = session()
    ledger = here.reading_ledger
    rows = [_row(each) for each in locks(ledger, ledger.time(here.now()), stack)]
    here.show(Plain(rows, address="{scope}", whole=("scope", "fence", "state", "holder"), extra=("host", "pid", "job")))


@app.command()
def hold(
    stack: str = shown(typer.Option(..., "--stack", metavar="NAME", help="The stack that nobody is to apply.")),
    reason: str = shown(typer.Option(..., "--reason", metavar="WHY", help="Why, for whoever is refused.")),
) -> None:
    """Keep every apply of a stack out, for as long as the lease is not broken."""
    from rsspot.workflows.locks import hold_lock

    here = session()
    if not reason.strip():
        raise UsageError("--reason is empty", hint="say why, for whoever is refused")
    lease = here.run(hold_lock(here.client, here.client.ledger, stack_name(stack), reason.strip()))
    print(printable(f"{lease.scope} is held; give it back with: rsspot lock break {lease.fence} --stack {stack}"))


@app.command("break")
def break_(
    fence: int = shown(typer.Argument(..., min=1, help="The number of the lease, as `lock status` shows it.")),
    stack: str | None = STACK,
    yes: bool = YES,
) -> None:
    """Take a lease away from its holder, who then sends nothing any more."""
    from rsspot.workflows.locks import break_lock

    here = session()
    if not yes:
        confirm(f"break {fence}")
    with here.state(create=True) as state:
        lease = break_lock(state.ledger, fence, stack)
    print(printable(f"{lease.scope} is free."))


def _row(lock: Any) -> dict[str, Any]:
    lease, holder = lock.lease, lock.lease.holder
    return {
        "scope": lease.scope,
        "fence": lease.fence,
        "state": lock.state.value,
        "holder": holder.name if lease.reason else f"process {holder.pid} on {holder.host}",
        "reason": lease.reason or None,
        "expires_at": None if lease.reason else stamp(lease.expires_at),
        "host": holder.host,
        "pid": holder.pid,
        "job": holder.job or None,
    }


COMMANDS = {"lock": app}
