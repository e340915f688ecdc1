"""Cloudspaces as an SDK service: the verbs of every kind, upgrades, and the way into the cluster."""

from __future__ import annotations

from pathlib import Path

from rsspot.constants import KUBECONFIG_PATH
from rsspot.errors import UnexpectedShape, UsageError
from rsspot.http.transport import Call
from rsspot.resources.collection import Collection
from rsspot.resources.sync_twins import BlockingCollection, blocking
from rsspot.services.cloudspaces.kubeconfig import merge, parse
from rsspot.services.cloudspaces.schemas import CloudSpace, full_version
from rsspot.utils.serialization import at_path


class CloudSpaces(Collection[CloudSpace]):
    """Kubernetes clusters of the organization."""

    async def upgrade(self, name: str, version: str) -> CloudSpace:
        """Move a cloudspace to a later Kubernetes version, such as 1.33.0; returns before it runs there.

        Raises UsageError for a version that is no later one; NotFound, Conflict, Forbidden, Invalid, OutcomeUnknown.
        """
        try:
            wanted = _parts(full_version(version))
        except ValueError as error:
            raise UsageError(f"{version!r} is not {error}") from None
        live = await self.documents.get(name)
        running = str(at_path(live, ("spec", "kubernetesVersion"), "0.0.0"))
        if wanted <= _parts(running):
            raise UsageError(f"{name} is at {running} already", hint="a version can only go up")
        moved = live["metadata"]["resourceVersion"]
        return await self.patch(name, {"kubernetesVersion": version}, resource_version=moved)

    async def kubeconfig(self, name: str, *, merge_into: Path | None = None) -> str:
        """The kubeconfig of a cloudspace, as YAML. It holds a token, which expires within a day.

        merge_into: a kubeconfig file to put it into as well, beside what is there, readable by its owner only.
        Raises AuthError, NotFound, Invalid while its control plane does not answer yet, ConfigError for the file.
        """
        body = {
            "organization_name": await self._context.scope.organization_name(),
            "cloudspace_name": name,
            "refresh_token": self._context.refresh_token(),
        }
        await self.documents.get(name)
        # Made anew for each caller and nothing is changed by it, though it is a POST.
        secrets = (body["refresh_token"],)
        answer = await self._context.session.send(Call("POST", KUBECONFIG_PATH, body=body, secrets=secrets))
        text = str(at_path(answer, ("data", "kubeconfig"), "")).lstrip()
        if not text:
            raise UnexpectedShape(f"the service gave no kubeconfig for {name}")
        parse(text)
        if merge_into is not None:
            merge(text, merge_into)
        return text


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.removeprefix("v").split("."))


class BlockingCloudSpaces(BlockingCollection[CloudSpace]):
    """The same, synchronous."""

    upgrade = blocking(CloudSpaces.upgrade)
    kubeconfig = blocking(CloudSpaces.kubeconfig)


COLLECTIONS = {"CloudSpace": CloudSpaces}
