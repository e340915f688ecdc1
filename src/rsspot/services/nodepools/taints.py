"""Taint: a Kubernetes taint on the nodes of a pool, shared by all pool kinds."""

from __future__ import annotations

from typing import Literal

from rsspot.models.resource import Model


class Taint(Model):
    """A Kubernetes node taint."""

    key: str
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]
    value: str | None = None
