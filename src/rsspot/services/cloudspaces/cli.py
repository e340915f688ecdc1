"""CLI commands for cloudspaces, besides the common verbs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from rsspot.commands import Commands, CommandSession
from rsspot.errors import UsageError

if TYPE_CHECKING:
    from rsspot.services.cloudspaces.api import CloudSpaces

commands = Commands["CloudSpaces"]("cloudspaces")


@commands.add
async def upgrade(session: CommandSession[CloudSpaces], name: str, version: str) -> object:
    """Upgrade a cloudspace to a later Kubernetes version, such as 1.33.0."""
    upgraded = await session.api.upgrade(name, version)
    return {"name": upgraded.name, "kubernetesVersion": upgraded.spec.kubernetes_version}


@commands.add
async def kubeconfig(
    session: CommandSession[CloudSpaces], name: str, merge_into: str | None = None, context: str | None = None
) -> object:
    """Print the kubeconfig of a cloudspace, or merge it into a kubeconfig file.

    --merge-into also takes several files, as in $KUBECONFIG. An entry of the same name that belongs to another
    cluster is never replaced: with --context NAME, the context, its cluster and its users get another name.
    """
    if merge_into is None:
        if context is not None:
            raise UsageError("--context needs --merge-into")
        return (await session.api.kubeconfig(name)).rstrip()
    files = [Path(file) for file in merge_into.split(os.pathsep) if file]
    await session.api.kubeconfig(name, merge_into=files, context=context)
    return f"merged into {merge_into}"
