"""Taint: a Kubernetes taint on the nodes of a pool, shared by all pool kinds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Annotated

from rsspot.models.authoring import one_of, rule
from rsspot.models.fields import UNORDERED, CommandLine
from rsspot.models.labels import check_node_key, check_value
from rsspot.models.resource import Model


class Taint(Model):
    """A Kubernetes node taint."""

    key: Annotated[str, rule(check_node_key)]
    """Key of the taint."""
    effect: Annotated[str, one_of("NoSchedule", "PreferNoSchedule", "NoExecute")]
    """What happens to pods that do not tolerate it."""
    value: Annotated[str | None, rule(check_value)] = None
    """Value of the taint."""


def _check_unique(taints: Iterable[Taint]) -> None:
    counts = Counter((taint.key, taint.effect) for taint in taints)
    for (key, effect), count in counts.items():
        if count > 1:
            raise ValueError(f"has two taints {key!r} with the effect {effect}")


def parse_taint(text: str) -> dict[str, str]:
    """A taint as kubectl writes it: `key=value:Effect` or `key:Effect`. Raises ValueError."""
    name, colon, effect = text.rpartition(":")
    key, equals, value = name.partition("=")
    if not colon or not key:
        raise ValueError("takes KEY=VALUE:EFFECT")
    return {"key": key, "effect": effect} | ({"value": value} if equals else {})


Taints = Annotated[list[Taint] | None, UNORDERED, rule(_check_unique), CommandLine("taint", read=parse_taint)]
"""The taints of a pool."""
