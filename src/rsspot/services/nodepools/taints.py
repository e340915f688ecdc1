"""Taint: what keeps pods off a pool's nodes. The same for every kind of pool."""

from __future__ import annotations

from typing import Literal

from rsspot.models.resource import Model


class Taint(Model):
    """A Kubernetes node taint."""

    key: str
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]
    value: str | None = None
