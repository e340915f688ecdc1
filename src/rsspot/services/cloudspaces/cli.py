"""CLI commands for cloudspaces, besides the common verbs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rsspot.commands import Commands, CommandSession

if TYPE_CHECKING:
    from rsspot.services.cloudspaces.api import CloudSpaces

commands = Commands["CloudSpaces"]("cloudspaces")


@commands.add
async def upgrade(session: CommandSession[CloudSpaces], name: str, version: str) -> object:
    """Upgrade a cloudspace to a later Kubernetes version, such as 1.33.0."""
    upgraded = await session.api.upgrade(name, version)
    return {"name": upgraded.name, "kubernetesVersion": upgraded.spec.kubernetes_version}


@commands.add
async def kubeconfig(session: CommandSession[CloudSpaces], name: str, merge_into: Path | None = None) -> object:
    """Print the kubeconfig of a cloudspace, or merge it into an existing kubeconfig file."""
    text = await session.api.kubeconfig(name, merge_into=merge_into)
    return f"merged into {merge_into}" if merge_into else text.rstrip()
