"""Two stacks as their authors have them, and the hands that meddle with what lives of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from hypothesis import strategies as st

from rsspot.constants import ON_REMOVE_ANNOTATION, STACK_LABEL
from rsspot.manifests.lifecycle import OnRemove
from rsspot.manifests.manifest import ManifestSet
from rsspot.simulator.spot.autoscaler import NEEDED
from rsspot.testing import SimulatedSpot
from rsspot.utils.serialization import Document, at_path
from support.changing_stack import CLASSES, REGION, document, parsed
from support.scenes import NAMESPACE
from support.tenancy import Tenant

POOLS = ("spotnodepools", "ondemandnodepools")
SPACES = {"blue": "edge", "green": "west"}
"""Stack -> its cloudspace."""
VERSIONS = ("1.31.1", "1.32.0", "1.33.0")
"""Of Kubernetes, which can only be raised."""
THEIR_POOL = "11111111-1111-4111-8111-111111111111"
SCALED = "d"
"""The pool that an autoscaler may look after: one in each cloudspace."""
NAMES = ("a", "b", "c", SCALED)

stacks = st.sampled_from(sorted(SPACES))
names = st.sampled_from(NAMES)
kinds = st.sampled_from(["SpotNodePool", "OnDemandNodePool"])
specs = st.fixed_dictionaries(
    {"desired": st.integers(1, 3), "serverClass": st.sampled_from(CLASSES)},
    optional={"customLabels": st.sampled_from([{"team": "infra"}, {"team": "data"}])},
)
Changes = dict[str, tuple[str, Document] | None]
pools = st.tuples(kinds, specs)
changes = st.dictionaries(names, st.none() | pools, min_size=1)
"""Names of pools, and what kind each is to be and how; None for one that is given up."""
whole_stacks = st.fixed_dictionaries(dict.fromkeys(NAMES, pools))
PROTECTED = {"metadata": {"annotations": {ON_REMOVE_ANNOTATION: "protect"}}}
edits = st.sampled_from(
    [
        {"spec": {"desired": 2}},
        {"spec": {"customLabels": {"team": "ops"}}},
        {"metadata": {"labels": {STACK_LABEL: None}}},
        {"metadata": {"annotations": {NEEDED: "3"}}},
        PROTECTED,
    ]
)
"""What somebody may do to a pool with kubectl."""


@dataclass
class Author:
    """What the author of one stack wants by now."""

    stack: str
    pools: dict[str, Document] = field(default_factory=dict)
    version: int = 0
    cni: str = "calico"

    def change(self, pools: Changes) -> None:
        """Write pools anew or otherwise, and give some up."""
        for name, written in pools.items():
            if written is None:
                self.pools.pop(name, None)
            else:
                self.declare(written[0], name, written[1])

    def declare(self, kind: str, name: str, spec: Document) -> None:
        """Write a pool, anew or otherwise than before."""
        bid = {"bidPrice": "0.22"} if kind == "SpotNodePool" else {}
        scaled = {"autoscaling": {"enabled": True, "minNodes": 1, "maxNodes": 3}} if name == SCALED and bid else {}
        self.pools[name] = document(kind, name, cloudSpace=SPACES[self.stack], **spec, **bid, **scaled)

    def rename(self, before: str, after: str) -> None:
        """Call a pool otherwise, which makes another one of it."""
        pool = self.pools.pop(before)
        self.declare(pool["kind"], after, {name: pool["spec"][name] for name in ("desired", "serverClass")})

    def documents(self) -> list[Document]:
        version = VERSIONS[min(self.version, len(VERSIONS) - 1)]
        fields = {"region": REGION, "kubernetesVersion": version, "cni": self.cni}
        return [document("CloudSpace", SPACES[self.stack], **fields), *self.pools.values()]

    def manifests(self) -> ManifestSet:
        return parsed(self.documents())


class Hands:
    """Somebody with kubectl."""

    def __init__(self, spot: SimulatedSpot) -> None:
        self._spot = spot

    def begin(self) -> None:
        """Make what no stack has a right to: a cloudspace of nobody's, with a pool that has no stack either."""
        tenant = Tenant(self._spot)
        tenant.cloudspace("theirs", region=REGION)
        tenant.pool(
            "11111111-1111-4111-8111-111111111111", cloudSpace="theirs", serverClass=CLASSES[0], bidPrice="0.22"
        )

    def pools(self, stack: str) -> list[tuple[str, str]]:
        """The plural and the name of every pool in the cloudspace of a stack, whosever it is."""
        return [(plural, body["metadata"]["name"]) for plural, body in self._pools(stack)]

    def edit(self, pool: tuple[str, str], patch: Document | None) -> None:
        """Patch a pool, or delete it. It may be gone already."""
        tenant = Tenant(self._spot)
        if patch is None:
            tenant.delete(*pool)
        else:
            tenant.patch(*pool, patch)

    def leave(self, stack: str) -> None:
        """Give back what was protected, and take away what has lost its stack: nobody else may.

        Protection is lifted by a word. Without any, the ledger remembers that there was one.
        """
        tenant = Tenant(self._spot)
        for plural, body in list(self._pools(stack)):
            name = body["metadata"]["name"]
            tenant.patch(plural, name, {"metadata": {"annotations": {ON_REMOVE_ANNOTATION: OnRemove.DELETE.value}}})
            if at_path(body, ("metadata", "labels", STACK_LABEL)) is None:
                tenant.delete(plural, name)
        self._spot.advance(60)

    def _pools(self, stack: str) -> Iterator[tuple[str, Document]]:
        for plural in POOLS:
            for body in self._spot.world.store.objects(plural, NAMESPACE):
                if body["spec"]["cloudSpace"] == SPACES[stack]:
                    yield plural, body
