"""What to do about an error status: one hint for each, in one place. Sends nothing."""

from __future__ import annotations

NEXT_STEPS = {
    400: "correct what the message names",
    401: "it may be expired, revoked or issued for another organization; `rsspot login` stores a new one",
    402: "check the billing of the organization in the console",
    403: "check the organization and the role of the token with `rsspot whoami`; --org chooses another organization",
    404: "check the name with `list`, and the organization with `rsspot whoami`",
    405: "check the base URL",
    409: "somebody else changed the object; read it again and repeat the command",
    410: "repeat the command: it reads the current state",
    413: "send less at once",
    415: "correct what the message names",
    422: "correct the fields that the message names",
    429: "wait a little and repeat the command; `rateLimit` in the profile keeps below the limit",
}
"""Status -> hint."""
EXISTS = "choose another name, or change the object that has this one with `patch`"
DENIED = "the rules of the service refuse these values; correct what the message names"
"""For a 403 by an admission rule, which is about the values and not about permissions."""
REDIRECTED = "check the base URL"
SERVER = "the service has a problem; repeat the command later"
UNKNOWN = "look with `get` what became of it before you repeat the command"


def next_step(status: int, reason: str, message: str) -> str | None:
    """The hint for a response, or None if there is nothing to advise."""
    if status == 409 and reason == "AlreadyExists":
        return EXISTS
    if status == 403 and "denied the request" in message:
        return DENIED
    return SERVER if status >= 500 else NEXT_STEPS.get(status)
