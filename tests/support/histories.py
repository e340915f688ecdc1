"""Stacks that change their mind: manifests with nulls anywhere, version after version, applied in a simulated world.

A document is written, and what of it is immutable is remembered, so that a test can tell which objects had to stay.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from rsspot.state.database import Database
from rsspot.state.ledger.sqlite import SqliteLedger
from rsspot.testing import SimulatedSpot
from support.scenes import NAMESPACE, Scene

Document = dict[str, Any]
ABSENT = object()
PLURALS = (
    "cloudspaces",
    "spotnodepools",
    "ondemandnodepools",
    "autopilotnodepools",
    "vmcloudspaces",
    "vmpools",
    "vmsshkeys",
)
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA7cpFqXSm1nXqFvUoKPBRHdJVWEJ+RbM0AEEI5vs0PT operators@example.com"
CLASS = st.sampled_from(["gp.vs1.medium-dfw", "gp.vs1.large-dfw"])


def maybe(*values: Any) -> st.SearchStrategy[Any]:
    """Left out, left blank, or one of these."""
    return st.sampled_from([ABSENT, None, *values])


MAPS = maybe({}, {"team": "infra"}, {"team": "infra", "tier": None}, {"tier": ""}, {"team": None})
TAINT = st.fixed_dictionaries(
    {"key": st.sampled_from(["a", "b"]), "effect": st.sampled_from(["NoSchedule", "NoExecute"])},
    optional={"value": st.sampled_from([None, "", "x"])},
)
TAINTS = st.one_of(maybe([]), st.lists(TAINT, max_size=2, unique_by=lambda taint: (taint["key"], taint["effect"])))
NODES = {"customLabels": MAPS, "customAnnotations": MAPS, "customTaints": TAINTS}
METADATA = {"labels": MAPS, "annotations": MAPS}

SPECS: dict[str, dict[str, Any]] = {
    "CloudSpace": {
        "region": st.just("us-central-dfw-1"),
        "kubernetesVersion": st.just("1.33.0"),
        "cni": maybe("calico"),
        "type": maybe(),
        "deploymentType": maybe("gen1", "gen2"),
        "cloud": maybe("default"),
        "HAControlPlane": maybe(False),
        "gpuEnabled": maybe(False, True),
        "webhook": maybe("", "https://example.com/hook"),
    },
    "SpotNodePool": {
        "cloudSpace": st.just("edge"),
        "serverClass": CLASS,
        "desired": st.integers(1, 3),
        "bidPrice": st.sampled_from(["0.08", "0.1"]),
        "autoscaling": maybe({"enabled": False}, {"enabled": False, "minNodes": None}),
        **NODES,
    },
    "OnDemandNodePool": {
        "cloudSpace": st.just("edge"),
        "serverClass": CLASS,
        "desired": st.integers(1, 2),
        **NODES,
    },
    "AutopilotNodePool": {
        "cloudSpace": st.just("edge"),
        "region": st.just("us-central-dfw-1"),
        "vcpu": st.just({"total": 4}),
        "vcpuPerNode": maybe({}, {"min": None}, {"min": 2, "max": None}),
        "memoryPerVCPU": maybe("any", "4"),
        "budgetPerHour": st.sampled_from(["0.1", "0.2"]),
        "allocationStrategy": maybe("LowestPrice"),
        **NODES,
    },
    "VMSSHKey": {"publicKey": st.just(KEY), "description": maybe("", "ours")},
    "VMCloudSpace": {
        "region": st.just("us-central-dfw-1"),
        "vmSshKeyRef": st.sampled_from([{"name": "operators"}, {"name": "operators", "namespace": None}]),
        "webhook": maybe("", "https://example.com/vm"),
    },
    "VMPool": {
        "vmCloudSpace": st.just("machines"),
        "serverClass": CLASS,
        "desired": st.integers(1, 2),
        "bidPrice": st.sampled_from(["0.08", "0.1"]),
        "poolType": maybe("spot"),
        "vmImage": maybe("", "ubuntu24.04"),
        "vmUserData": maybe("", "I2Nsb3VkLWNvbmZpZwo="),
    },
}
"""Kind -> what may be written of it. What a version of a stack writes is drawn anew for each field."""
NAMES = {
    "CloudSpace": "edge",
    "SpotNodePool": "workers",
    "OnDemandNodePool": "base",
    "AutopilotNodePool": "burst",
    "VMSSHKey": "operators",
    "VMCloudSpace": "machines",
    "VMPool": "runners",
}
IMMUTABLE = {
    "CloudSpace": ("region", "cni", "type", "deploymentType", "cloud"),
    "SpotNodePool": ("cloudSpace", "serverClass"),
    "OnDemandNodePool": ("cloudSpace", "serverClass"),
    "AutopilotNodePool": ("cloudSpace", "region"),
    "VMSSHKey": ("publicKey", "description"),
    "VMCloudSpace": ("region", "vmSshKeyRef"),
    "VMPool": ("vmCloudSpace", "serverClass", "poolType", "vmImage", "vmUserData"),
}
PARENTS = {"SpotNodePool": "CloudSpace", "OnDemandNodePool": "CloudSpace", "AutopilotNodePool": "CloudSpace"} | {
    "VMPool": "VMCloudSpace"
}


def _written(fields: dict[str, Any]) -> Document:
    return {name: copy.deepcopy(value) for name, value in fields.items() if value is not ABSENT}


@st.composite
def versions(draw: st.DrawFn) -> list[dict[str, Document]]:
    """One stack in two or three versions: kind -> manifest. The same objects all the time."""
    kinds = ["CloudSpace", *draw(st.lists(st.sampled_from(["SpotNodePool", "OnDemandNodePool"]), unique=True))]
    if draw(st.booleans()):
        kinds.append("AutopilotNodePool")
    if draw(st.booleans()):
        kinds += ["VMSSHKey", "VMCloudSpace", "VMPool"]
    return [{kind: draw(_manifest(kind)) for kind in kinds} for _ in range(draw(st.integers(2, 3)))]


@st.composite
def _manifest(draw: st.DrawFn, kind: str) -> Document:
    metadata = _written({name: draw(values) for name, values in METADATA.items()})
    spec = _written({name: draw(values) for name, values in SPECS[kind].items()})
    return {
        "apiVersion": "ngpc.rxt.io/v1",
        "kind": kind,
        "metadata": {"name": NAMES[kind], **metadata},
        "spec": spec,
    }


class Stage:
    """A place for many histories. Each has a world of its own: what one leaves behind could come back in the next."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open()

    def _open(self) -> None:
        self.spot = SimulatedSpot(self.folder)
        self.client = self.spot.client()

    def scene(self) -> Scene:
        """An empty account, and a ledger that knows nothing."""
        self.spot.close()
        self._open()
        return Scene(self.client, SqliteLedger(Database(None)), self.folder)

    def live(self) -> dict[str, Document]:
        """Kind -> the one declared object of it; what the service made for itself is left out."""
        found = {}
        for plural in PLURALS:
            for body in self.spot.world.store.objects(plural, NAMESPACE):
                if "rsspot.dev/stack" in (body["metadata"].get("labels") or {}):
                    assert body["kind"] not in found, f"two live objects of {body['kind']}"
                    found[body["kind"]] = body
        return found


def text(version: dict[str, Document]) -> str:
    """A version as a file."""
    return yaml.safe_dump_all(version.values(), sort_keys=False)


def has_to_go(kind: str, version: dict[str, Document], live: dict[str, Document]) -> bool:
    """Whether something immutable of an object, or of what it lives in, is declared with another value than it has."""
    spec, now = version[kind]["spec"], live[kind]["spec"]
    for field in IMMUTABLE[kind]:
        wanted = (
            {k: v for k, v in spec[field].items() if v is not None}
            if isinstance(spec.get(field), dict)
            else spec.get(field)
        )
        if wanted not in (None, "") and wanted != now.get(field):
            return True
        if wanted == "" and now.get(field):
            return True
    parent = PARENTS.get(kind)
    return parent is not None and has_to_go(parent, version, live)
