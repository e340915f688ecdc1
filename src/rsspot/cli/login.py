"""Shows a person how to approve a login in a browser. Does not wait for the approval."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from rsspot.utils.text import printable

if TYPE_CHECKING:
    from typing import TextIO

    from rsspot.auth.bearer import LogIn
    from rsspot.auth.device import Invitation
    from rsspot.http.hooks import Hooks
    from rsspot.utils.clock import Clock


def invite(invitation: Invitation, stderr: TextIO | None = None) -> None:
    """Print the link and the code on standard error; standard output is for the command's result."""
    stderr = stderr or sys.stderr
    link = printable(invitation.whole_link or invitation.link)
    print(f"Open {link}\nand check that it shows the code {printable(invitation.code)}", file=stderr)
    print(f"Waiting up to {invitation.expires_in / 60:.0f} minutes; press Ctrl-C to cancel.", file=stderr, flush=True)


def on_terminal(
    clock: Clock, organization: str | None, hooks: Hooks, stdin: TextIO | None, stderr: TextIO | None
) -> LogIn | None:
    """The device login to run when no refresh token works; None if there is no terminal to show it on."""
    if stderr is None or not stderr.isatty() or stdin is None or not stdin.isatty():
        return None
    from rsspot.auth.device import log_in
    from rsspot.auth.grants import Grant, Issuer, Send
    from rsspot.workflows.login import APPROVAL

    async def log_in_here(issuer: Issuer, send: Send) -> Grant:
        print("Not logged in, or the login has expired. Log in to continue:", file=stderr)
        with hooks.waiting(APPROVAL):
            return await log_in(issuer, send, clock, partial(invite, stderr=stderr), organization)

    return log_in_here
