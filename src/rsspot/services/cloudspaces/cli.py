"""CLI commands for cloudspaces, besides the common verbs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from rsspot.cli_history import SHOWN
from rsspot.commands import CommandOption, Commands, CommandSession
from rsspot.errors import UsageError
from rsspot.utils.files import write_private

if TYPE_CHECKING:
    from rsspot.services.cloudspaces.api import CloudSpaces

commands = Commands["CloudSpaces"](
    "cloudspaces",
    options={
        "file": CommandOption("File to write, readable by its owner only.", short=("-f",)),
        "merge_into": CommandOption("Kubeconfig file to merge it into, or several as in $KUBECONFIG.", metavar="FILE"),
        "context": CommandOption("What to call the context in that file.", metavar="NAME"),
    },
)


@commands.add
async def upgrade(
    session: CommandSession[CloudSpaces], name: Annotated[str, SHOWN], version: Annotated[str, SHOWN]
) -> object:
    """Upgrade a cloudspace to a later Kubernetes version, such as 1.33.0."""
    upgraded = await session.api.upgrade(name, version)
    return {"name": upgraded.name, "kubernetesVersion": upgraded.spec.kubernetes_version}


@commands.add
async def kubeconfig(
    session: CommandSession[CloudSpaces],
    name: Annotated[str, SHOWN],
    merge_into: Annotated[str | None, SHOWN] = None,
    context: Annotated[str | None, SHOWN] = None,
    file: Annotated[str | None, SHOWN] = None,
) -> object:
    """Print the kubeconfig of a cloudspace, write it to a file, or merge it into a kubeconfig file.

    --merge-into also takes several files, as in $KUBECONFIG. An entry of the same name that belongs to another
    cluster is never replaced: with --context NAME, the context, its cluster and its users get another name.
    """
    if merge_into is None and context is not None:
        raise UsageError("--context needs --merge-into")
    if merge_into is not None and file is not None:
        raise UsageError("cannot combine --merge-into with --file")
    if merge_into is not None:
        files = [Path(each) for each in merge_into.split(os.pathsep) if each]
        await session.api.kubeconfig(name, merge_into=files, context=context)
        return f"merged into {merge_into}"
    text = await session.api.kubeconfig(name)
    return text.rstrip() if file is None else _written(text, name, Path(file).expanduser())


async def get_config(
    session: CommandSession[CloudSpaces], name: Annotated[str, SHOWN], file: Annotated[str | None, SHOWN] = None
) -> object:
    """Print the kubeconfig of a cloudspace, or write it to a file."""
    return await kubeconfig(session, name, file=file)


commands.add(get_config)


def _written(text: str, name: str, file: Path) -> str:
    """Write a kubeconfig for its owner only; into a folder as NAME.yaml."""
    place = file / f"{name}.yaml" if file.is_dir() else file
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        write_private(place, text)
    except OSError as error:
        raise UsageError(f"cannot write {place}: {error.strerror}") from None
    return f"wrote kubeconfig to {place}"
