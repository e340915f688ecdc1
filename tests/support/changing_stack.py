"""A stack of so many objects as it is at first, and what may become of it."""

from __future__ import annotations

from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import yaml

from rsspot.constants import STACK_LABEL
from rsspot.manifests.manifest import ManifestSet
from rsspot.manifests.parse import load
from support.histories import KEY

Document = dict[str, Any]
SPACES = ("edge", "west", "south")
CLASSES = ("gp.vs1.medium-dfw", "gp.vs1.large-dfw")
REGION = "us-central-dfw-1"
LOCAL = "rsspot.dev/v1"
VM_POOLS = ("runners", "builders")
MACHINES = len(VM_POOLS)
"""Virtual machines that there are: one in each pool."""


def document(kind: str, name: str, *, version: str = "ngpc.rxt.io/v1", **spec: Any) -> Document:
    """A manifest."""
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}


def _space(name: str, **spec: Any) -> Document:
    return document("CloudSpace", name, region=REGION, kubernetesVersion="1.31.1", **spec)


def _pool(chance: Random, name: str, space: str) -> Document:
    fields: Document = {"cloudSpace": space, "desired": 1, "serverClass": chance.choice(CLASSES)}
    if chance.random() < 0.6:
        return document("SpotNodePool", name, **fields, bidPrice="0.22")
    return document("OnDemandNodePool", name, **fields)


def _machines() -> list[Document]:
    """A VM cloudspace whose machines are there already when the stack changes."""
    fields = {"vmCloudSpace": "vms", "serverClass": "gp.vs2.medium-dfw2", "desired": 1, "bidPrice": "0.10"}
    return [
        document("VMSSHKey", "ours", publicKey=KEY),
        document("VMCloudSpace", "vms", region="us-central-dfw-2", vmSshKeyRef={"name": "ours"}),
        *(document("VMPool", name, **fields) for name in VM_POOLS),
    ]


def first(objects: int) -> list[Document]:
    """The stack at first: three cloudspaces with their pools, and machines."""
    chance = Random("first")
    documents = [*map(_space, SPACES), *_machines()]
    for number in range(objects - len(documents)):
        documents.append(_pool(chance, f"p{number}", SPACES[number % len(SPACES)]))
    return documents


def foreign() -> list[Document]:
    """Objects that the stack has no right to: nobody's, and another stack's."""
    pools = [_pool(Random(name), str(uuid5(NAMESPACE_OID, name)), "theirs") for name in ("a", "b")]
    found = [_space("theirs"), *pools, _space("other")]
    found[-1]["metadata"]["labels"] = {STACK_LABEL: "other"}
    return found


def changed(objects: int, variant: int, registrar: list[str]) -> list[Document]:
    """What becomes of it: every kind of change, and as many objects as before."""
    chance = Random(variant)
    documents = first(objects)
    spaces = [each for each in documents if each["kind"] == "CloudSpace"]
    for space, become in zip(spaces, chance.sample(_SPACES, len(spaces)), strict=True):
        become(space)
    names = {space["metadata"]["name"] for space in spaces if not _is_gone(space)}
    kept = [each for each in documents if each["spec"].get("cloudSpace") in {None, *names}]
    for pool in kept:
        if pool["kind"].endswith("NodePool"):
            chance.choice(_POOLS)(pool)
    wanted = [*(each for each in kept if not _is_gone(each)), _space("north"), _registration(registrar)]
    for number in range(objects - len(wanted)):
        wanted.append(_pool(chance, f"q{number}", chance.choice([*sorted(names), "north"])))
    return wanted


def _registration(registrar: list[str]) -> Document:
    spec: Document = {"vmCloudSpace": "vms", "omniCluster": "first", "registrar": {"exec": registrar}}
    return document("Registration", "known", version=LOCAL, **spec)


def _stay(_: Document) -> None:
    """Nothing changes."""


def _raise_version(space: Document) -> None:
    space["spec"]["kubernetesVersion"] = "1.32.0"


def _replace_space(space: Document) -> None:
    space["spec"]["cni"] = "cilium"


def _go(each: Document) -> None:
    each["spec"].clear()


def _is_gone(each: Document) -> bool:
    return not each["spec"]


def _resize(pool: Document) -> None:
    pool["spec"]["desired"] = 2


def _relabel(pool: Document) -> None:
    pool["spec"]["customLabels"] = {"team": "infra"}


def _replace_pool(pool: Document) -> None:
    before = pool["spec"]["serverClass"]
    pool["spec"]["serverClass"] = CLASSES[before == CLASSES[0]]


def _rename(pool: Document) -> None:
    pool["metadata"]["name"] += "-renamed"


_SPACES = (_stay, _raise_version, _replace_space, _go)
_POOLS = (_stay, _stay, _resize, _relabel, _replace_pool, _rename, _go)


def parsed(documents: list[Document]) -> ManifestSet:
    """Documents as manifests."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "stack.yaml"
        file.write_text(yaml.safe_dump_all(documents))
        return load([file], environ={})
