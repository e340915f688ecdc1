"""Checks by requests that a token works for an organization and that a region exists. Changes no setting."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rsspot.client.async_client import AsyncSpotClient
from rsspot.client.resolve import resolved_here
from rsspot.config.loader import Resolved
from rsspot.config.models import ConfigFile
from rsspot.errors import AuthError, TransportError, UsageError
from rsspot.resources.known import require_known
from rsspot.services.regions.schemas import REGION
from rsspot.utils.text import choices

SKIP = "--no-verify stores the values unchecked"


def settings_with(file: ConfigFile, profile: str, **values: str | None) -> Resolved:
    """The settings of a profile as they will be once these values are stored in it."""
    profiles = dict(file.profiles)
    profiles.setdefault(profile, type(file.preferences)())
    return resolved_here(config=file.model_copy(update={"profiles": profiles}), profile=profile, **values)


def organization_of(file: ConfigFile, profile: str) -> str | None:
    """The organization that a profile names in the file. An id takes precedence over a name."""
    stored = file.profiles.get(profile)
    return stored.organization_id or stored.organization if stored else None


async def other_organization(client: AsyncSpotClient) -> tuple[str, str] | None:
    """A sentence if the token is for another organization than the one in use, and the way out; None if it is not."""
    await client.whoami()
    other = await client.organization.tokens_other()
    if other is None:
        return None
    name = await client.organization.name()
    hint = f"pass --org {other.name}, or get a token with `rsspot login --org {name}`"
    return _token_of(other.name, name), hint


def _token_of(own: str, wanted: str) -> str:
    return f"the token is for the organization {own!r}, not {wanted!r}"


async def _require_token_for(organization: str, client: AsyncSpotClient) -> None:
    await client.organizations.get(organization)
    other = await client.organization.other(organization).tokens_other()
    if other is not None:
        hint = f"{choices('organizations of the token', organization, [other.name])}; {SKIP}"
        raise UsageError(_token_of(other.name, organization), hint=hint)


async def verify(
    resolved: Resolved,
    *,
    organizations: Iterable[str] = (),
    region: str | None = None,
    token_folder: Path | None = None,
) -> None:
    """Check the credential, these organizations, and a region if one is given.

    token_folder: where the tokens of this login are kept for the next command; a service may replace a refresh token

    Raises AuthError, NotFound or UsageError naming the one that is wrong, and TransportError if nothing can be checked.
    """
    try:
        # A cached response would prove nothing.
        async with AsyncSpotClient(resolved=resolved, cache=False, token_folder=token_folder) as client:
            await client.organizations.list()
            for organization in organizations:
                await _require_token_for(organization, client)
            if region is not None:
                await require_known(client.documents(REGION), region)
    except AuthError as error:
        raise AuthError(f"the token does not work: {error.message}", hint=error.hint) from None
    except TransportError as error:
        raise type(error)(f"cannot verify the values: {error.message}", hint=SKIP) from None
