"""Cloudspaces as an SDK service: the common verbs, Kubernetes upgrades and kubeconfigs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rsspot.constants import KUBECONFIG_PATH
from rsspot.errors import UnexpectedShape, UsageError
from rsspot.http.call import Call
from rsspot.resources.collection import Collection
from rsspot.resources.names import called
from rsspot.resources.sync_twins import BlockingCollection, blocking
from rsspot.services.cloudspaces.kubeconfig import merge, parse
from rsspot.services.cloudspaces.schemas import CloudSpace
from rsspot.services.cloudspaces.versions import full_version
from rsspot.utils.serialization import at_path
from rsspot.utils.versions import version_parts


class CloudSpaces(Collection[CloudSpace]):
    """The organization's Kubernetes clusters."""

    async def upgrade(self, name: str, version: str) -> CloudSpace:
        """Upgrade a cloudspace's Kubernetes version and return the cloudspace, before it runs that version.

        version: a full version later than the current one, such as 1.33.0. Source: GET, then PATCH of the spec.
        Raises UsageError for any other version; NotFound, Conflict if the cloudspace changed in between, Forbidden,
        Invalid, and OutcomeUnknown if the upgrade may have been requested.
        """
        try:
            wanted = version_parts(full_version(version))
        except ValueError as error:
            raise UsageError(f"the version {version!r} {error}") from None
        name = called(self.kind, name).name
        live = await self.documents.get(name)
        running = at_path(live, ("spec", "kubernetesVersion"))
        # One that cannot be read is for the service to judge.
        now = version_parts(running)
        if wanted is not None and now is not None and wanted <= now:
            hint = "choose a later version; a downgrade is not possible"
            raise UsageError(f"{name} is already at version {running}", hint=hint)
        resource_version = live["metadata"]["resourceVersion"]
        return await self.patch(name, {"kubernetesVersion": version}, resource_version=resource_version)

    async def kubeconfig(
        self, name: str, *, merge_into: Path | Sequence[Path] | None = None, context: str | None = None
    ) -> str:
        """The kubeconfig of a cloudspace, as YAML text. It holds a token that expires within a day.

        merge_into: also merge it into this kubeconfig file, which is made readable by its owner only. Of several files,
        as in KUBECONFIG, those that have its entries are changed, or else the first that exists.
        context: the name of the context, cluster and users in the file, instead of the one that the service chose
        Source: POST auth.ngpc.rxt.io/v1/generate-kubeconfig, with the refresh token.
        Raises AuthError without a refresh token; NotFound; Invalid while the control plane is not up yet;
        UnexpectedShape; ConfigError if a file cannot be used, or has an entry of the same name for another cluster.
        """
        name = called(self.kind, name).name
        body = {
            "organization_name": await self._context.organization.name(),
            "cloudspace_name": name,
            "refresh_token": self._context.refresh_token(),
        }
        await self.documents.get(name)
        # A POST, but it changes nothing: the service generates a kubeconfig for each request.
        secrets = (body["refresh_token"],)
        answer = await self._context.session.send(Call("POST", KUBECONFIG_PATH, body=body, secrets=secrets))
        text = str(at_path(answer, ("data", "kubeconfig"), "")).lstrip()
        if not text:
            raise UnexpectedShape(f"the service returned no kubeconfig for {name}")
        parse(text)
        if merge_into is not None:
            owner = f"{await self._context.organization.namespace()}/{name}"
            merge(text, merge_into, owner=owner, context=context)
        return text


class BlockingCloudSpaces(BlockingCollection[CloudSpace]):
    """The synchronous version of CloudSpaces."""

    upgrade = blocking(CloudSpaces.upgrade)
    kubeconfig = blocking(CloudSpaces.kubeconfig)


COLLECTIONS = {"CloudSpace": CloudSpaces}
