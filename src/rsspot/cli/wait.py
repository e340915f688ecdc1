"""The command wait: wait for what manifests declare, without changing anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rsspot.cli.option_groups import with_groups
from rsspot.cli.plan_options import PATHS, GivenVariables, load_manifests, reporting_session
from rsspot.cli.run_options import GONE, WaitFlags, wait_options
from rsspot.cli.running import follow


@with_groups
def wait(paths: list[Path] = PATHS, *, given: GivenVariables, waiting: WaitFlags) -> None:
    """Wait until everything that manifests declare is ready, or gone with `--wait-for gone`. Changes nothing."""
    from rsspot.workflows.waiting import await_declared

    cli = reporting_session()
    options = wait_options(cli, waiting)
    manifests = load_manifests(cli, paths, given.var, given.var_file)
    gone = waiting.wait_for == GONE
    cli.run(follow(cli, await_declared(cli.client, cli.reading_ledger, manifests, options, gone=gone), options.stop))


COMMANDS: dict[str, Any] = {"wait": wait}
