"""Who waits for whom: changes to steps with dependencies. The only place that knows order; it knows no kinds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter

from rsspot.constants import DEPENDS_ON_ANNOTATION
from rsspot.errors import PlanRefused, Problem
from rsspot.planner.change import Action, Change


class Verb(StrEnum):
    """What a step does."""

    CREATE = "create"
    PATCH = "patch"
    DELETE = "delete"
    DETACH = "detach"
    """A patch of the label, after which the ledger forgets the object."""
    EXPAND = "expand"
    """Create every object that a deferred change turns out to stand for."""


@dataclass(frozen=True)
class Step:
    """after: numbers of the steps that must be done first."""

    seq: int
    change: Change
    verb: Verb
    after: frozenset[int] = frozenset()
    awaited: bool = False
    """Another step starts only when this one's object is ready, or gone: that is waited for whatever was asked."""

    @property
    def patient(self) -> bool:
        """Whether it starts only when what it waits for is ready, not merely accepted."""
        return _is_patient(self.change, self.verb)


@dataclass
class _Node:
    change: Change
    verb: Verb
    after: set[int] = field(default_factory=set)


_VERBS = {
    Action.CREATE: Verb.CREATE,
    Action.UPDATE: Verb.PATCH,
    Action.ADOPT: Verb.PATCH,
    Action.DETACH: Verb.DETACH,
    Action.DELETE: Verb.DELETE,
}


def cycles(changes: Sequence[Change]) -> tuple[Problem, ...]:
    """What keeps changes from having an order: they wait for each other."""
    try:
        order(changes)
    except PlanRefused as refused:
        return tuple(refused.problems)
    return ()


def _is_patient(change: Change, verb: Verb) -> bool:
    return verb in (Verb.DELETE, Verb.EXPAND) or bool(change.after)


def order(changes: Sequence[Change]) -> list[Step]:
    """Steps such that each stands after all it waits for. Raises PlanRefused on a cycle."""
    nodes = [_Node(change, verb) for change in changes for verb in _verbs(change)]
    for seq, waits_for in _edges(nodes):
        nodes[seq].after.add(waits_for)
    return _sorted(nodes)


def _verbs(change: Change) -> Iterable[Verb]:
    if change.deferred:
        return (Verb.EXPAND,)
    if change.action is Action.REPLACE:
        return (Verb.CREATE, Verb.DELETE) if change.surge else (Verb.DELETE, Verb.CREATE)
    return (_VERBS[change.action],)


def _edges(nodes: Sequence[_Node]) -> Iterator[tuple[int, int]]:
    """Pairs (step, the step it waits for)."""
    by_address: dict[str, dict[Verb, int]] = defaultdict(dict)
    children: dict[str, list[int]] = defaultdict(list)
    # Not by address: what a replacement left behind is deleted under the same one.
    of_change: dict[int, dict[Verb, int]] = defaultdict(dict)
    for seq, node in enumerate(nodes):
        by_address[node.change.address].setdefault(node.verb, seq)
        of_change[id(node.change)][node.verb] = seq
        if node.change.parent:
            children[node.change.parent].append(seq)
    for seq, node in enumerate(nodes):
        own, above = of_change[id(node.change)], by_address.get(node.change.parent or "", {})
        if node.verb is Verb.DELETE:
            if node.change.surge:
                yield seq, own[Verb.CREATE]
            yield from ((seq, child) for child in children[node.change.address] if nodes[child].verb is Verb.DELETE)
        else:
            if node.change.action is Action.REPLACE and not node.change.surge:
                yield seq, own[Verb.DELETE]
            if Verb.CREATE in above:
                yield seq, above[Verb.CREATE]
            for address in node.change.after:
                makers = by_address.get(address, {})
                yield from ((seq, makers[verb]) for verb in makers if verb is not Verb.DELETE)
    for parent, siblings in children.items():
        yield from _sibling_edges(nodes, siblings, parent_goes=Verb.DELETE in by_address.get(parent, {}))


def _sibling_edges(nodes: Sequence[_Node], siblings: Sequence[int], *, parent_goes: bool) -> Iterator[tuple[int, int]]:
    """Among the objects of one parent.

    Removals come last, unless the parent itself goes; what is given up comes before it is taken; expansion sees all.
    """
    makers = [seq for seq in siblings if nodes[seq].verb in (Verb.CREATE, Verb.PATCH)]
    for seq in siblings:
        change = nodes[seq].change
        comes_last = change.action is Action.DELETE and not change.gives and not parent_goes
        if nodes[seq].verb is Verb.EXPAND:
            yield from ((seq, other) for other in siblings if nodes[other].verb is not Verb.EXPAND)
        elif comes_last:
            yield from ((seq, maker) for maker in makers)
        elif change.takes and nodes[seq].verb is not Verb.DELETE:
            givers = (each for each in siblings if nodes[each].change.gives and nodes[each].change is not change)
            yield from ((seq, giver) for giver in givers)


def _sorted(nodes: Sequence[_Node]) -> list[Step]:
    graph = TopologicalSorter({seq: sorted(node.after) for seq, node in enumerate(nodes)})
    try:
        sequence = list(graph.static_order())
    except CycleError as error:
        circle = " -> ".join(nodes[seq].change.address for seq in error.args[1])
        hint = f"take one of the `{DEPENDS_ON_ANNOTATION}` away"
        said = next((nodes[seq].change for seq in error.args[1] if nodes[seq].change.after), None)
        where = said.where(("metadata", "annotations", DEPENDS_ON_ANNOTATION)) if said else None
        raise PlanRefused([Problem(f"these changes wait for each other: {circle}", where, hint, "cycle")]) from None
    position = {seq: index for index, seq in enumerate(sequence)}
    awaited = {
        waits_for
        for node in nodes
        for waits_for in node.after
        if _is_patient(node.change, node.verb) or nodes[waits_for].verb is Verb.DELETE
    }
    return [
        Step(
            position[seq],
            nodes[seq].change,
            nodes[seq].verb,
            frozenset(position[each] for each in nodes[seq].after),
            awaited=seq in awaited,
        )
        for seq in sequence
    ]
