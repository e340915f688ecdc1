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

ON = shown(
    typer.Option(None, "--on", metavar="ADDRESS", help="The lease on this live object, such as cloudspace/edge.")
)
WHOLE, EXTRA = ("scope", "fence", "state", "holder"), ("host", "pid", "job")
"""The columns of a lease that are never cut, and those that only some formats have."""


@app.command()
def status(stack: str | None = STACK, on: str | None = ON) -> None:
    """List the leases that are held: of applies that run, of those that were killed, and of people."""
    from rsspot.workflows.locks import locks

    here = session()
    if on:
        from rsspot.workflows.live_locks import lock_on

        found = [_row(each) for each in here.run(lock_on(here.client, on, _named(stack)))]
        here.show(Plain(found, address="{scope}", whole=WHOLE, extra=EXTRA))
        return
    ledger = here.reading_ledger
    rows = [_row(each) for each in locks(ledger, ledger.time(here.now()), stack)]
    here.show(Plain(rows, address="{scope}", whole=WHOLE, extra=EXTRA))


@app.command()
def hold(
    stack: str = shown(typer.Option(..., "--stack", metavar="NAME", help="The stack that nobody is to apply.")),
    reason: str = shown(typer.Option(..., "--reason", metavar="WHY", help="Why, for whoever is refused.")),
    on: str | None = ON,
) -> None:
    """Keep every apply of a stack out, for as long as the lease is not broken."""
    from rsspot.workflows.live_locks import hold_lock_on
    from rsspot.workflows.locks import hold_lock

    here = session()
    if not reason.strip():
        raise UsageError("--reason is empty", hint="say why, for whoever is refused")
    why, name = reason.strip(), stack_name(stack)
    holding = hold_lock_on(here.client, on, name, why) if on else hold_lock(here.client, here.client.ledger, name, why)
    lease = here.run(holding)
    back = f"rsspot lock break {lease.fence} --stack {stack}{f' --on {on}' if on else ''}"
    print(printable(f"{lease.scope} is held; give it back with: {back}"))


@app.command("break")
def break_(
    fence: int = shown(typer.Argument(..., min=1, help="The number of the lease, as `lock status` shows it.")),
    stack: str | None = STACK,
    on: str | None = ON,
    yes: bool = YES,
) -> None:
    """Take a lease away from its holder, who then sends nothing any more."""
    from rsspot.workflows.live_locks import break_lock_on
    from rsspot.workflows.locks import break_lock

    here = session()
    if not yes:
        confirm(f"break {fence}")
    if on:
        lease = here.run(break_lock_on(here.client, on, _named(stack), fence))
    else:
        with here.state(create=True) as state:
            lease = break_lock(state.ledger, fence, stack)
    print(printable(f"{lease.scope} is free."))


def _named(stack: str | None) -> str:
    """The stack whose lease a live object carries."""
    if stack is None:
        raise UsageError("--on needs --stack", hint="name the stack whose lease the object carries")
    return stack_name(stack)


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
