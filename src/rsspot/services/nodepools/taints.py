"""Taint: a Kubernetes taint on the nodes of a pool, shared by all pool kinds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Annotated

from rsspot.models.authoring import one_of, rule
from rsspot.models.fields import UNORDERED
from rsspot.models.labels import check_node_key, check_value
from rsspot.models.resource import Model


class Taint(Model):
    """A Kubernetes node taint."""

    key: Annotated[str, rule(check_node_key)]
    effect: Annotated[str, one_of("NoSchedule", "PreferNoSchedule", "NoExecute")]
    value: Annotated[str | None, rule(check_value)] = None


def _check_unique(taints: Iterable[Taint]) -> None:
    counts = Counter((taint.key, taint.effect) for taint in taints)
    for (key, effect), count in counts.items():
        if count > 1:
            raise ValueError(f"has two taints {key!r} with the effect {effect}")


Taints = Annotated[list[Taint] | None, UNORDERED, rule(_check_unique)]
"""The taints of a pool."""
