"""How many servers a plan asks for, and how many there are: more than exist is refused, more than are free is noted.

Free servers are no bound on what a bid can win, since it may outbid others; the servers of a class in all are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rsspot.errors import Origin, Problem
from rsspot.manifests.manifest import Manifest
from rsspot.models.fields import ServersOf
from rsspot.planner.case import Case, Rule
from rsspot.planner.change import Action, Path
from rsspot.planner.diff import SPEC
from rsspot.planner.draft import Match
from rsspot.utils.serialization import at_path
from rsspot.utils.text import listed


@dataclass(frozen=True)
class Demand:
    """What one object asks for beyond what it has: servers of a class. path: the field that says how many"""

    manifest: Manifest
    path: Path
    servers: ServersOf
    count: int


def capacity(case: Case) -> Iterator[Problem]:
    """A plan does not ask for more servers of a class than there are."""
    for kind, name, demands in _by_class(case):
        if (total := _total(case, kind, name, demands)) is not None:
            free = _of_class(case, kind, name, demands[-1].servers.free)
            yield Problem(
                f"{_wanted(name, demands)}, and there are {total} in all, {free} of them free",
                _origin(demands),
                "ask for fewer, or spread them over several classes: see `rsspot serverclasses list -o wide`",
                Rule.SERVERS,
            )


def shortages(case: Case) -> Iterator[str]:
    """A note for each class of which more servers are wanted than are free now."""
    for kind, name, demands in _by_class(case):
        free = _of_class(case, kind, name, demands[-1].servers.free)
        if free is None or _sum(demands) <= free or _total(case, kind, name, demands) is not None:
            continue
        origin = _origin(demands)
        yield f"{f'{origin}: ' if origin else ''}{_wanted(name, demands)}, and {free} are free now"


def _total(case: Case, kind: str, name: str, demands: list[Demand]) -> int | None:
    """How many servers of a class there are, if that is fewer than wanted."""
    there = _number(_of_class(case, kind, name, demands[-1].servers.all))
    # Some classes report no servers at all at times, although they are sold.
    return there if 0 < there < _sum(demands) else None


def _of_class(case: Case, kind: str, name: str, path: Path) -> Any:
    return at_path(case.live(kind).get(name), path)


def _sum(demands: list[Demand]) -> int:
    return sum(demand.count for demand in demands)


def _wanted(name: str, demands: list[Demand]) -> str:
    addresses = listed([demand.manifest.address for demand in demands], " and ")
    return f"{addresses}: {_sum(demands)} more servers of {name} are wanted"


def _origin(demands: list[Demand]) -> Origin | None:
    return demands[-1].manifest.where(SPEC, *demands[-1].path)


def _by_class(case: Case) -> Iterator[tuple[str, str, list[Demand]]]:
    """Each class that more servers are wanted of: its kind and name, and what asks for them."""
    found: dict[tuple[str, str], list[Demand]] = defaultdict(list)
    for match in case.matches:
        references = dict(match.manifest.kind.references)
        for demand in _demands(case, match):
            name = at_path(match.manifest.spec, demand.servers.of)
            found[references[demand.servers.of].kind, str(name)].append(demand)
    return ((kind, name, demands) for (kind, name), demands in found.items())


def _demands(case: Case, match: Match) -> Iterator[Demand]:
    change = case.change_of(match.manifest)
    for path, servers in match.manifest.kind.server_counts if change else ():
        assert change is not None
        # A successor that comes first needs servers beside those of its predecessor.
        held = None if change.action is Action.CREATE or change.surge else at_path(match.live, (SPEC, *path))
        if at_path(match.live, (SPEC, *servers.of)) != case.after(match, (SPEC, *servers.of)):
            # What it has are servers of another class.
            held = None
        count = _number(case.after(match, (SPEC, *path))) - _number(held)
        if count > 0:
            yield Demand(match.manifest, path, servers, count)


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0
