"""Scripted faults: which requests go wrong, how, and how often. Decides; carriers make it happen."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from rsspot.simulator.machinery.messages import Request, Response

What = Literal["reset-before", "reset-after", "status"]


@dataclass
class Fault:
    """One thing that goes wrong.

    reset-before: the connection breaks and nothing was done · reset-after: all was done and the answer is lost
    status: answered with `status` (and Retry-After) and nothing was done
    method and path (a regular expression) choose requests; the first `skip` of them are spared, the next `times` hit.
    """

    what: What
    method: str = ".*"
    path: str = ".*"
    skip: int = 0
    times: int = 1
    status: int = 503
    retry_after: int | None = None

    def hits(self, request: Request) -> bool:
        """Whether this request is hit; counts it if it is meant."""
        if not re.fullmatch(self.method, request.method) or not re.search(self.path, request.path):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return self.times >= 0

    def answer(self) -> Response:
        """The answer of a `status` fault."""
        headers = {"Retry-After": str(self.retry_after)} if self.retry_after is not None else {}
        return Response.of_json(
            self.status, {"kind": "Status", "message": "scripted fault", "code": self.status}, headers
        )


@dataclass
class Faults:
    """Every fault of a script; the first that hits a request is the one."""

    script: list[Fault] = field(default_factory=list)

    def add(self, what: What, method: str = ".*", path: str = ".*", **rest: int) -> None:
        """Have something go wrong."""
        self.script.append(Fault(what, method, path, **rest))

    def hit(self, request: Request) -> Fault | None:
        """The fault of a request."""
        return next((fault for fault in self.script if fault.hits(request)), None)
