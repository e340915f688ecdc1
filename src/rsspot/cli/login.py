"""Shows a person how to approve a login in a browser. Does not wait for the approval."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rsspot.utils.text import printable

if TYPE_CHECKING:
    from rsspot.auth.bearer import LogIn
    from rsspot.auth.device import Invitation
    from rsspot.http.hooks import Hooks
    from rsspot.utils.clock import Clock


def invite(invitation: Invitation) -> None:
    """Print the link and the code on standard error; standard output is for the command's result."""
    link = printable(invitation.whole_link or invitation.link)
    print(f"Open {link}\nand check that it shows the code {printable(invitation.code)}", file=sys.stderr)
    print(
        f"Waiting up to {invitation.expires_in / 60:.0f} minutes; press Ctrl-C to cancel.", file=sys.stderr, flush=True
    )


def on_this_terminal(clock: Clock, organization: str | None, hooks: Hooks) -> LogIn | None:
    """The device login to run when no refresh token works; None if there is no terminal to show it on."""
    if sys.stderr is None or not sys.stderr.isatty() or sys.stdin is None or not sys.stdin.isatty():
        return None
    from rsspot.auth.device import log_in
    from rsspot.auth.grants import Grant, Issuer, Send
    from rsspot.workflows.login import APPROVAL

    async def log_in_here(issuer: Issuer, send: Send) -> Grant:
        print(
            "No refresh token works; logging in for this command only. `rsspot login` stores a token.", file=sys.stderr
        )
        with hooks.waiting(APPROVAL):
            return await log_in(issuer, send, clock, invite, organization)

    return log_in_here
