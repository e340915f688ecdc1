"""What the benchmarks aim at, by how much an aim is missed, and what would reach it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Lines = Sequence[Mapping[str, Any]]
Results = Mapping[str, Lines]


def find(lines: Lines, **wanted: object) -> Mapping[str, Any] | None:
    """The first result that has these values."""
    return next((each for each in lines if all(each.get(key) == value for key, value in wanted.items())), None)


def figure(lines: Lines, key: str, **wanted: object) -> float:
    """A figure of a result. Raises LookupError if it was not measured."""
    found = find(lines, **wanted)
    if found is None or found.get(key) is None:
        raise LookupError(f"{key} of {wanted}")
    return float(found[key])


@dataclass(frozen=True)
class Aim:
    """A figure and its bound. way: what would reach it, in a sentence · least: whether more is better"""

    subject: str
    bound: float
    unit: str
    value: Callable[[Results], float]
    way: str
    least: bool = False

    def met(self, value: float) -> bool:
        """Whether a figure is within the bound."""
        return value >= self.bound if self.least else value <= self.bound

    def told(self, value: float | None) -> str:
        """A figure with its unit."""
        if value is None:
            return ""
        digits = 0 if abs(value) >= 20 else 2
        return f"{value:,.{digits}f} {self.unit}".rstrip()


def _plan(what: str, key: str, objects: int) -> Callable[[Results], float]:
    return lambda found: figure(found["plan"], key, what=what, objects=objects)


def _beyond_start_up(found: Results) -> float:
    plan, start, bare = (_plan(what, "cpu", 2_000)(found) for what in ("plan", "start", "bare"))
    return (plan - start) / bare


def _ratio(above: Callable[[Results], float], below: Callable[[Results], float]) -> Callable[[Results], float]:
    return lambda found: above(found) / below(found)


def _more_requests(found: Results) -> float:
    return _plan("plan", "requests", 10_000)(found) - _plan("bare", "requests", 10_000)(found)


def _beside_ideal(found: Results) -> float:
    ideal, wall, server = (figure(found["apply"], key, objects=1_000) for key in ("ideal", "wall", "server"))
    return wall / (1.2 * ideal + server)


def _times_kubectl(found: Results) -> float:
    kubectl = figure(found["beside"], "wall", what="compare", tool="kubectl", objects=1_000)
    return kubectl / figure(found["beside"], "wall", what="compare", tool="rsspot", objects=1_000)


def _listed(form: str, key: str) -> Callable[[Results], float]:
    return lambda found: figure(found["lists"], key, what=form, objects=10_000)


def _first_line(found: Results) -> float:
    return max(_listed(form, "first")(found) for form in ("json", "yaml", "csv"))


def _sdk(what: str) -> Callable[[Results], float]:
    def value(found: Results) -> float:
        return figure(found["sdk"], "cpu", what=what, tool="rsspot") / figure(
            found["sdk"], "cpu", what=what, tool="httpx"
        )

    return value


ENCODER = (
    "Where `json` leads the profile below, it is the plan that is printed: an encoder that does not indent in Python;"
    " then manifests and live objects as rows that code in C compares"
)
START = "More than half of it is there with ten objects: imports, models and the first requests would have to be halved"
EDITS = "It prints twice as much: the same encoder, and descriptions of alike edits that are worked out once"
WIRE = "httpx takes a quarter of an apply's CPU: its requests and responses are objects that the wire does not need"
PAGES = "With 500 pools it comes in time: the first page would have to be printed before the others have come"
ROWS = "Rows written from the wire's bytes, without an object for each cell"
LEDGER = "More steps to a commit, or a disk that is faster"
AIMS = (
    Aim("plan, 10,000 unchanged: CPU beside fetching and parsing", 3.0, "×",
        _ratio(_plan("plan", "cpu", 10_000), _plan("bare", "cpu", 10_000)), ENCODER),
    Aim("plan, 2,000 unchanged, beyond start-up: the same", 2.0, "×", _beyond_start_up, ENCODER),
    Aim("plan, 10,000 all changed, beside unchanged", 2.0, "×",
        _ratio(_plan("changed", "cpu", 10_000), _plan("plan", "cpu", 10_000)),
        EDITS),
    Aim("plan, 10,000 unchanged: memory", 250.0, "MiB", _plan("plan", "memory", 10_000), ENCODER),
    Aim("plan, 10,000: requests beyond the pages of all lists", 6.0, "", _more_requests, "Fewer reads"),
    Aim("plan of 1,000 pools beside kubectl diff: times as fast", 20.0, "×", _times_kubectl, START, least=True),
    Aim("apply, 1,000 creates: client's CPU a create", 1.5, "ms",
        lambda found: 1e3 * figure(found["apply"], "cpu", objects=1_000) / 1_000, WIRE),
    Aim("apply, 1,000 creates: time beside 1.2 × ideal and the server's own", 1.0, "×", _beside_ideal, WIRE),
    Aim("apply, 1,000 creates: the ledger's share of the client's CPU", 10.0, "%",
        lambda found: 100 * figure(found["rooms"], "share", what="apply", room="rsspot.state"), LEDGER),
    Aim("the same by the clock, without latency: waiting for the disk", 10.0, "%",
        lambda found: 100 * figure(found["rooms"], "share", what="apply, by the clock", room="rsspot.state"), LEDGER),
    Aim("list 10,000 pools, json", 1.0, "s", _listed("json", "wall"), ROWS),
    Aim("list 10,000 pools, yaml", 3.0, "s", _listed("yaml", "wall"), ROWS),
    Aim("list 10,000 pools, table", 1.5, "s", _listed("table", "wall"), ROWS),
    Aim("list 10,000 pools, csv", 1.0, "s", _listed("csv", "wall"), ROWS),
    Aim("list 10,000 pools: the first line of json, yaml and csv", 0.5, "s", _first_line, PAGES),
    Aim("10,000 typed models: memory kept", 40.0, "MB",
        lambda found: figure(found["sdk"], "kept", what="memory", kind="models"), ROWS),
    Aim("SDK, one GET, async: CPU beside httpx", 1.1, "×", _sdk("one GET, async, to a model"), WIRE),
    Aim("SDK, one GET, sync: CPU beside httpx", 1.1, "×", _sdk("one GET, sync, to a model"), WIRE),
    Aim("SDK, 100 GETs at once: CPU beside httpx", 0.4, "×", _sdk("100 GETs at once"), WIRE),
)  # fmt: skip


def value_of(aim: Aim, found: Results) -> float | None:
    """The figure of an aim; None if it was not measured."""
    try:
        return aim.value(found)
    except LookupError:
        return None


def missed(found: Results) -> Iterator[str]:
    """A sentence for each aim that is missed."""
    for aim in AIMS:
        value = value_of(aim, found)
        if value is not None and not aim.met(value):
            times = aim.bound / value if aim.least else value / aim.bound
            yield f"{aim.subject}: {aim.told(value)}, {times:.2f} times the aim of {aim.told(aim.bound)}. {aim.way}."
