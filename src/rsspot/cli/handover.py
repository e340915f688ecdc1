"""The commands adopt, detach and move: hand live objects over to a stack, or out of one."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

import typer

from rsspot.cli.plan_options import reporting_session, stack_name
from rsspot.cli.prompts import YES
from rsspot.cli.run_options import DEADLINE, PARALLELISM, quick_options
from rsspot.cli.running import Approval, confirm_and_run
from rsspot.cli.session import CliSession
from rsspot.cli_history import shown

if TYPE_CHECKING:
    from rsspot.applier.options import ApplyOptions
    from rsspot.planner.plan import Plan

NAMES = shown(
    typer.Argument(..., metavar="ADDRESS", help="Addresses of live objects, or globs: edge/*.", show_default=False)
)
OF_STACK = shown(typer.Option(None, "--stack", metavar="NAME", help="Only objects of this stack.", show_default=False))


def adopt(
    names: list[str] = NAMES,
    stack: str = shown(typer.Option(..., "--stack", metavar="NAME", help="The stack that gets the objects.")),
    yes: bool = YES,
    parallelism: int = PARALLELISM,
    deadline: float | None = DEADLINE,
) -> None:
    """Make live objects that belong to no stack objects of a stack, and change nothing else about them."""
    from rsspot.workflows.ownership import plan_adopt

    cli = reporting_session()
    options = quick_options(cli, parallelism, deadline)
    cli.run(_hand_over(cli, plan_adopt(cli.client, cli.reading_ledger, names, stack_name(stack)), yes, options))


def detach(
    names: list[str] = NAMES,
    stack: str | None = OF_STACK,
    yes: bool = YES,
    parallelism: int = PARALLELISM,
    deadline: float | None = DEADLINE,
) -> None:
    """Take live objects out of their stack, and leave them as they are."""
    from rsspot.workflows.ownership import plan_detach

    cli = reporting_session()
    options = quick_options(cli, parallelism, deadline)
    cli.run(_hand_over(cli, plan_detach(cli.client, cli.reading_ledger, names, stack), yes, options))


def move(
    names: list[str] = NAMES,
    to_stack: str = shown(typer.Option(..., "--to-stack", metavar="NAME", help="The stack that gets the objects.")),
    stack: str | None = OF_STACK,
    yes: bool = YES,
    parallelism: int = PARALLELISM,
    deadline: float | None = DEADLINE,
) -> None:
    """Give live objects of one stack to another. Move their manifests too, before the other one prunes."""
    from rsspot.workflows.ownership import plan_move

    cli = reporting_session()
    options = quick_options(cli, parallelism, deadline)
    cli.run(
        _hand_over(cli, plan_move(cli.client, cli.reading_ledger, names, stack_name(to_stack), stack), yes, options)
    )


async def _hand_over(cli: CliSession, planned: Awaitable[Plan], yes: bool, options: ApplyOptions) -> None:
    await confirm_and_run(cli, await planned, Approval(yes), options)


COMMANDS: dict[str, Any] = {"adopt": adopt, "detach": detach, "move": move}
