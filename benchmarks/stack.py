"""Manifests of a stack of any size: a few cloudspaces, and pools in them. Imports nothing of rsspot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

CLOUDSPACES = 10
CLOUDSPACE = """---
apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata: {{name: edge-{number}}}
spec: {{region: us-central-dfw-2, kubernetesVersion: 1.33.0}}
"""
POOL = """---
apiVersion: ngpc.rxt.io/v1
kind: SpotNodePool
metadata: {{name: pool-{number}, labels: {{team: payments}}}}
spec:
  cloudSpace: edge-{cloudspace}
  serverClass: gp.vs2.large-dfw2
  desired: 1
  bidPrice: {bid}
  customLabels: {{tier: web}}
"""


def manifests(pools: int, *, bid: str = "0.06") -> str:
    """Manifests of a few cloudspaces and of pools in them."""
    spaces = "".join(CLOUDSPACE.format(number=number) for number in range(CLOUDSPACES))
    return spaces + "".join(
        POOL.format(number=number, cloudspace=number % CLOUDSPACES, bid=bid) for number in range(pools)
    )


PLACED = """---
apiVersion: ngpc.rxt.io/v1
kind: SpotNodePool
metadata: {{name: pool-{number}}}
spec: {{cloudSpace: {region}, serverClass: {server_class}, desired: 1, bidPrice: 0.92}}
"""
GROUP = """---
apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata: {{name: {region}}}
spec: {{region: {region}, kubernetesVersion: 1.33.0}}
"""


def placed(classes: Sequence[Mapping[str, Any]], pools: int) -> tuple[str, str]:
    """Manifests of cloudspaces, and of pools in them, of server classes that have enough servers for them all."""
    available = [each for each in classes if each["spec"].get("availability") == "available"]
    available.sort(key=lambda each: each["spec"]["region"])
    servers = [each for each in available for _ in range(int(each["status"].get("capacity") or 0))][:pools]
    if len(servers) < pools:
        raise SystemExit(f"there are too few servers for {pools} pools")
    groups = "".join(GROUP.format(region=name) for name in sorted({each["spec"]["region"] for each in servers}))
    return groups, "".join(
        PLACED.format(number=number, region=each["spec"]["region"], server_class=each["metadata"]["name"])
        for number, each in enumerate(servers)
    )
