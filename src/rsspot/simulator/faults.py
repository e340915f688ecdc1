"""Scripted faults: which requests go wrong, how, and how often. Decides; `front.carriage` makes it happen.

A fault in words:   [METHOD[|METHOD…]] [PATH] : FAULT [AMOUNT …] [xN | always] [after N] [p CHANCE]

    POST spotnodepools: reset-after             the object is made, and the answer lost, once
    GET: latency 0.2..2 always                  every read takes that many seconds
    PATCH cloudspaces: 429 retry-after 2 x3     three times, then no more
    503 always p 0.1                            one request in ten, by the seed
    GET spotnodepools: stale 5                  as it was five writes ago
    GET cloudspaces: truncate 100               a hundred bytes of the answer, then the line breaks
    GET cloudspaces: huge 64                    64 MiB of white space before the answer
    spotnodepools: stuck always                 no status moves any more
    POST spotnodepools: price gp.vs1.large-dfw 0.09     others pay more from just before the request on
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rsspot.errors import UsageError
from rsspot.simulator.apiserver.messages import Request, Response
from rsspot.simulator.rng import draw

KINDS = ("latency", "status", "reset-before", "reset-after", "truncate", "huge", "stale", "stuck", "price")
GRAMMAR = "[METHOD] [PATH]: FAULT [AMOUNT] [xN | always] [after N] [p CHANCE]"
REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    410: "Expired",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}
_METHODS = re.compile(r"[A-Z]+(\|[A-Z]+)*")
_USUAL = {"truncate": 1, "huge": 64, "stale": 1}
"""How many bytes, MiB or writes where a fault does not say."""


@dataclass
class Fault:
    """One thing that goes wrong.

    what: one of KINDS · method, path: regular expressions that choose requests
    the first `skip` of them are spared, the next `times` hit (None: all), each with a chance
    status, retry_after: of a refusal · seconds: least and most of a latency
    amount: bytes, MiB or writes · subject, price: the class whose market moves, and where to
    """

    what: str
    method: str = ".*"
    path: str = ".*"
    skip: int = 0
    times: int | None = 1
    chance: float = 1.0
    status: int = 503
    retry_after: int | None = None
    seconds: tuple[float, float] = (0.0, 0.0)
    amount: int = 0
    subject: str = ""
    price: str = ""
    words: str = ""

    def __post_init__(self) -> None:
        if self.what not in KINDS:
            raise UsageError(f"no fault {self.what!r}", hint=f"one of {', '.join(KINDS)}, or a status code")

    def chooses(self, method: str, path: str) -> bool:
        """Whether requests like that are meant."""
        return bool(re.fullmatch(self.method, method) and re.search(self.path, path))

    def hits(self, request: Request, luck: float) -> bool:
        """Whether this request is hit; counts it if it is meant. luck: in [0, 1)"""
        if self.times == 0 or not self.chooses(request.method, request.path):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if luck >= self.chance:
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def answer(self) -> Response:
        """The answer of a `status` fault: plain text from the gateway for a 401, a Status for all else."""
        if self.status == 401:
            return Response.of_text(401, "Jwt verification fails")
        after = {"retryAfterSeconds": self.retry_after} if self.retry_after is not None else {}
        headers = {"Retry-After": str(self.retry_after)} if self.retry_after is not None else {}
        reason = REASONS.get(self.status, "")
        document: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        document |= {"message": "scripted fault", "reason": reason, "details": after, "code": self.status}
        return Response.of_json(self.status, document, headers)

    def __str__(self) -> str:
        left = "always" if self.times is None else f"x{self.times}"
        said = self.words or f"{self.method} {self.path}: {self.what} {left}"
        return f"{said} (used up)" if self.times == 0 else said


@dataclass
class Faults:
    """Every fault of a script. seed: what chances and latencies are drawn from"""

    script: list[Fault] = field(default_factory=list)
    seed: int = 1
    _drawn: int = 0

    def add(self, what: str, method: str = ".*", path: str = ".*", **rest: Any) -> None:
        """Have something go wrong."""
        self.script.append(Fault(what, method, path, **rest))

    def say(self, words: str) -> None:
        """The same, in words. Raises UsageError."""
        self.script.append(fault_of(words))

    def clear(self) -> None:
        """Have nothing go wrong any more."""
        self.script.clear()

    def hit(self, request: Request) -> list[Fault]:
        """What goes wrong with a request: any number of latencies and price moves, and one other thing at the most."""
        found: list[Fault] = []
        for fault in self.script:
            if fault.what == "stuck" or (fault.what not in ("latency", "price") and _has_end(found)):
                continue
            if fault.hits(request, self._luck()):
                found.append(fault)
        return found

    def delay(self, faults: Iterable[Fault]) -> float:
        """The seconds that latencies add up to."""
        spans = (each.seconds for each in faults if each.what == "latency")
        return sum(least + (most - least) * self._luck() for least, most in spans)

    def is_stuck(self, plural: str, name: str) -> bool:
        """Whether an object's status is not to move."""
        stuck = (each for each in self.script if each.what == "stuck" and each.times != 0)
        return any(re.search(each.path, f"{plural}/{name}") for each in stuck)

    def _luck(self) -> float:
        self._drawn += 1
        return draw(self.seed, "fault", self._drawn)


def _has_end(faults: list[Fault]) -> bool:
    return any(each.what not in ("latency", "price") for each in faults)


def fault_of(words: str) -> Fault:
    """A fault from the words for it. Raises UsageError."""
    head, colon, tail = words.rpartition(":")
    options = _chosen(head.split(), words) if colon else {}
    try:
        options |= _described(tail.split())
        return Fault(**options, words=" ".join(words.split()))
    except (ValueError, IndexError, StopIteration):
        raise UsageError(f"the fault {words!r} is not understood", hint=GRAMMAR) from None


def _chosen(tokens: list[str], words: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if tokens and _METHODS.fullmatch(tokens[0]):
        options["method"] = tokens.pop(0)
    if tokens:
        path = tokens.pop(0)
        try:
            re.compile(path if path != "*" else ".*")
        except re.error as error:
            said = f"the fault {words!r} is not understood: {path!r} is no regular expression ({error})"
            raise UsageError(said, hint=GRAMMAR) from None
        options["path"] = path if path != "*" else ".*"
    if tokens:
        raise UsageError(f"the fault {words!r} is not understood", hint=GRAMMAR)
    return options


def _described(tokens: list[str]) -> dict[str, Any]:
    """What stands behind the colon."""
    options = _what(tokens)
    while tokens:
        token = tokens.pop(0)
        if token == "always":
            options["times"] = None
        elif token == "after":
            options["skip"] = _count(tokens.pop(0))
        elif token == "p":
            options["chance"] = float(tokens.pop(0))
        elif token == "retry-after":
            options["retry_after"] = _count(tokens.pop(0))
        elif re.fullmatch(r"x\d+", token):
            options["times"] = int(token[1:])
        else:
            raise ValueError(token)
    return options


def _what(tokens: list[str]) -> dict[str, Any]:
    what = tokens.pop(0)
    if re.fullmatch(r"[45]\d\d", what):
        return {"what": "status", "status": int(what)}
    options: dict[str, Any] = {"what": what}
    if what == "latency":
        least, _, most = tokens.pop(0).partition("..")
        options["seconds"] = (float(least), float(most or least))
    elif what == "price":
        options |= {"subject": tokens.pop(0), "price": f"{float(tokens.pop(0)):f}"}
    elif what in _USUAL:
        options["amount"] = _count(tokens.pop(0)) if tokens and tokens[0].isdecimal() else _USUAL[what]
    return options


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(text)
    return int(text)


def faults_from(path: Path) -> list[Fault]:
    """The faults of a YAML file: a list of words. Raises UsageError."""
    import yaml

    try:
        listed = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    if not isinstance(listed, list):
        raise UsageError(f"{path} is no list of faults", hint=f"- {GRAMMAR}")
    return [fault_of(_words(each)) for each in listed]


def _words(item: Any) -> str:
    """An item of a YAML list as it was written: unquoted, `GET: 503` is a mapping there, and `503` a number."""
    if isinstance(item, dict):
        return "; ".join(f"{key}: {value}" for key, value in item.items())
    return str(item)
