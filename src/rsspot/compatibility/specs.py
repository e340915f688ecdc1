"""Specs as objects: CloudspaceCreateSpec and the two Upserts, for `create(spec)` and `update(spec)`. Sends nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

CLOUDSPACE_LABEL = "ngpc.rxt.io/cloudspace"


class SpecObject(BaseModel, ABC):
    """A name and the fields of a spec. Checked against the kind when it is sent."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    name: str

    @abstractmethod
    def whole(self) -> dict[str, Any]:
        """The spec to create an object with."""

    @abstractmethod
    def changes(self) -> dict[str, Any]:
        """The spec to update an object with: the fields that were given, without those that are immutable."""

    def parent(self) -> str | None:
        """The name of the object that this one lives in."""
        return None

    def labels(self) -> dict[str, str]:
        """The labels of a new object."""
        return {}


class CloudspaceCreateSpec(SpecObject):
    """A cloudspace to create."""

    region: str
    kubernetes_version: str = "1.31.1"
    deployment_type: str = "gen2"
    cloud: str = "default"
    cni: str = "calico"
    preemption_webhook_url: str | None = Field(default=None, repr=False)
    ha_control_plane: bool = False
    gpu_enabled: bool = False

    def whole(self) -> dict[str, Any]:
        chosen = {"webhook": self.preemption_webhook_url, "HAControlPlane": self.ha_control_plane or None}
        return {
            "region": self.region,
            "kubernetesVersion": self.kubernetes_version,
            "deploymentType": self.deployment_type,
            "cloud": self.cloud,
            "cni": self.cni,
            "gpuEnabled": self.gpu_enabled,
            **{field: value for field, value in chosen.items() if value is not None},
        }

    def changes(self) -> dict[str, Any]:
        given = {CHANGEABLE[name] for name in self.model_fields_set & CHANGEABLE.keys()}
        return {field: value for field, value in self.whole().items() if field in given}


CHANGEABLE = {
    "kubernetes_version": "kubernetesVersion",
    "preemption_webhook_url": "webhook",
    "gpu_enabled": "gpuEnabled",
}
"""The fields of a cloudspace that are not immutable."""


class AutoscalingSpec(BaseModel):
    """The bounds between which the service chooses `desired`, while enabled."""

    model_config = ConfigDict(alias_generator=to_camel, extra="allow", populate_by_name=True)

    enabled: bool = False
    min_nodes: int = 0
    max_nodes: int = 0


class OnDemandNodePoolUpsert(SpecObject):
    """An on-demand pool to create or update."""

    cloudspace: str
    server_class: str
    desired: int = 1
    custom_annotations: dict[str, str] = Field(default_factory=dict)
    custom_labels: dict[str, str] = Field(default_factory=dict)
    custom_taints: list[dict[str, str]] = Field(default_factory=list)
    autoscaling: AutoscalingSpec = Field(default_factory=AutoscalingSpec)

    def whole(self) -> dict[str, Any]:
        return {"cloudSpace": self.cloudspace, "serverClass": self.server_class, **self._changeable()}

    def changes(self) -> dict[str, Any]:
        # The default of a field that was left out would undo what somebody else has set.
        given = {to_camel(name) for name in self.model_fields_set}
        return {field: value for field, value in self._changeable().items() if field in given}

    def parent(self) -> str:
        return self.cloudspace

    def _changeable(self) -> dict[str, Any]:
        # These pools cannot be scaled automatically. Where it is asked for, it is for the check of the spec to refuse.
        return {**self._pool(), **({"autoscaling": self._autoscaling()} if self.autoscaling.enabled else {})}

    def _pool(self) -> dict[str, Any]:
        return {
            "desired": self.desired,
            "customAnnotations": self.custom_annotations,
            "customLabels": self.custom_labels,
            "customTaints": self.custom_taints,
        }

    def _autoscaling(self) -> dict[str, Any]:
        # Bounds that are not in force may be any numbers.
        return self.autoscaling.model_dump(by_alias=True) if self.autoscaling.enabled else {"enabled": False}

    def labels(self) -> dict[str, str]:
        return {CLOUDSPACE_LABEL: self.cloudspace}


class SpotNodePoolUpsert(OnDemandNodePoolUpsert):
    """A spot pool to create or update. bid_price: dollars per hour, with or without the sign."""

    bid_price: str

    def _changeable(self) -> dict[str, Any]:
        return {**self._pool(), "bidPrice": self.bid_price, "autoscaling": self._autoscaling()}
