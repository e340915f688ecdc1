"""Scripted faults: which requests fail, how, and how often. Only decides; `front.dispatch` carries the faults out.

Syntax of a fault:   [METHOD[|METHOD…]] [PATH] : FAULT [AMOUNT …] [xN | always] [after N] [p CHANCE]

    POST spotnodepools: reset-after             the object is created and the response lost, once
    GET: latency 0.2..2 always                  every read takes between 0.2 and 2 seconds
    PATCH cloudspaces: 429 retry-after 2 x3     three times, then no more
    503 always p 0.1                            one request in ten, chosen by the seed
    GET spotnodepools: stale 5                  the state of five writes ago
    GET cloudspaces: truncate 100               the first 100 bytes of the body, then a connection reset
    GET cloudspaces: huge 64                    64 MiB of white space before the body
    spotnodepools: stuck always                 no status changes any more
    POST spotnodepools: price gp.vs1.large-dfw 0.09     the market price changes just before the request
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rsspot.errors import UsageError
from rsspot.simulator.apiserver.messages import Request, Response
from rsspot.simulator.quantities import price_of, seconds_of
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
"""Default amounts, in bytes, MiB and writes."""


@dataclass
class Fault:
    """One scripted fault.

    what: one of KINDS · method, path: regular expressions that select requests
    the first `skip` matching requests are spared, then `times` are hit (None: all), each with probability `chance`
    status, retry_after: of an error response · seconds: minimum and maximum of a latency
    amount: bytes, MiB or writes · subject, price: the server class whose market moves, and its new price
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
            raise UsageError(f"unknown fault {self.what!r}", hint=f"use one of {', '.join(KINDS)}, or a status code")

    def chooses(self, method: str, path: str) -> bool:
        """Whether the fault selects requests with this method and path."""
        return bool(re.fullmatch(self.method, method) and re.search(self.path, path))

    def hits(self, request: Request, luck: float) -> bool:
        """Whether this request is hit; counts it if the fault selects it. luck: a random number in [0, 1)"""
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
        """The response of a `status` fault: the gateway's plain text for a 401, else a Status object."""
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
        text = self.words or f"{self.method} {self.path}: {self.what} {left}"
        return f"{text} (used up)" if self.times == 0 else text


@dataclass
class Faults:
    """The scripted faults of a world. seed: determines which requests are hit and how long latencies are"""

    script: list[Fault] = field(default_factory=list)
    seed: int = 1
    _drawn: int = 0

    def add(self, what: str, method: str = ".*", path: str = ".*", **rest: Any) -> None:
        """Add a fault."""
        self.script.append(Fault(what, method, path, **rest))

    def say(self, words: str) -> None:
        """Add a fault, written as text. Raises UsageError."""
        self.script.append(fault_of(words))

    def clear(self) -> None:
        """Remove all faults."""
        self.script.clear()

    def hit(self, request: Request) -> list[Fault]:
        """The faults that hit a request: any number of latencies and price moves, and at most one of another kind."""
        hits: list[Fault] = []
        for fault in self.script:
            if fault.what == "stuck" or (fault.what not in ("latency", "price") and _has_end(hits)):
                continue
            if fault.hits(request, self._luck()):
                hits.append(fault)
        return hits

    def delay(self, faults: Iterable[Fault]) -> float:
        """The sum of the latencies, in seconds."""
        spans = (each.seconds for each in faults if each.what == "latency")
        return sum(least + (most - least) * self._luck() for least, most in spans)

    @property
    def any_stuck(self) -> bool:
        """Whether a fault keeps the status of any object from changing."""
        return any(True for _ in self._stuck())

    def is_stuck(self, plural: str, name: str) -> bool:
        """Whether a fault keeps an object's status from changing."""
        return any(re.search(each.path, f"{plural}/{name}") for each in self._stuck())

    def _stuck(self) -> Iterator[Fault]:
        return (each for each in self.script if each.what == "stuck" and each.times != 0)

    def _luck(self) -> float:
        self._drawn += 1
        return draw(self.seed, "fault", self._drawn)


def _has_end(faults: list[Fault]) -> bool:
    return any(each.what not in ("latency", "price") for each in faults)


def fault_of(words: str) -> Fault:
    """Parse a fault. Raises UsageError."""
    head, colon, tail = words.rpartition(":")
    options = _chosen(head.split(), words) if colon else {}
    try:
        options |= _described(tail.split())
        return Fault(**options, words=" ".join(words.split()))
    except UsageError as error:
        raise UsageError(f"invalid fault {words!r}: {error.message}", hint=error.hint) from None
    except (ValueError, IndexError, StopIteration):
        raise UsageError(f"invalid fault {words!r}", hint=GRAMMAR) from None


def _chosen(tokens: list[str], words: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if tokens and _METHODS.fullmatch(tokens[0]):
        options["method"] = tokens.pop(0)
    if tokens:
        path = tokens.pop(0)
        try:
            re.compile(path if path != "*" else ".*")
        except re.error as error:
            message = f"invalid fault {words!r}: {path!r} is not a valid regular expression ({error})"
            raise UsageError(message, hint=GRAMMAR) from None
        options["path"] = path if path != "*" else ".*"
    if tokens:
        raise UsageError(f"invalid fault {words!r}", hint=GRAMMAR)
    return options


def _described(tokens: list[str]) -> dict[str, Any]:
    """Parse what follows the colon."""
    options = _what(tokens)
    while tokens:
        token = tokens.pop(0)
        if token == "always":
            options["times"] = None
        elif token == "after":
            options["skip"] = _count(tokens.pop(0))
        elif token == "p":
            options["chance"] = _chance(tokens.pop(0))
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
        options["seconds"] = (seconds_of(least), seconds_of(most or least))
    elif what == "price":
        options |= {"subject": tokens.pop(0), "price": f"{price_of(tokens.pop(0)):.6f}"}
    elif what in _USUAL:
        options["amount"] = _count(tokens.pop(0)) if tokens and tokens[0].isdecimal() else _USUAL[what]
    return options


def _chance(text: str) -> float:
    chance = float(text)
    if not 0 <= chance <= 1:
        raise ValueError(text)
    return chance


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(text)
    return int(text)


def faults_from(path: Path) -> list[Fault]:
    """Read the faults of a YAML file: a list of strings. Raises UsageError."""
    import yaml

    try:
        listed = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    if not isinstance(listed, list):
        raise UsageError(f"{path} is not a list of faults", hint=f"- {GRAMMAR}")
    return [fault_of(_words(item)) for item in listed]


def _words(item: Any) -> str:
    """The text of a YAML list item. YAML reads an unquoted `GET: 503` as a mapping and `503` as a number."""
    if isinstance(item, dict):
        return "; ".join(f"{key}: {value}" for key, value in item.items())
    return str(item)
