"""Checks by requests that a token works and that an organization and a region exist. Changes no setting."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rsspot.client.async_client import AsyncSpotClient
from rsspot.client.resolve import resolved_here
from rsspot.config.loader import Resolved
from rsspot.config.models import ConfigFile
from rsspot.errors import AuthError, TransportError
from rsspot.resources.known import require_known
from rsspot.services.regions.schemas import REGION

SKIP = "--no-verify stores the values unchecked"


def settings_with(file: ConfigFile, profile: str, **values: str | None) -> Resolved:
    """The settings of a profile as they will be once these values are stored in it."""
    profiles = dict(file.profiles)
    profiles.setdefault(profile, type(file.preferences)())
    return resolved_here(config=file.model_copy(update={"profiles": profiles}), profile=profile, **values)


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
                await client.organizations.get(organization)
            if region is not None:
                await require_known(client.documents(REGION), region)
    except AuthError as error:
        raise AuthError(f"the token does not work: {error.message}", hint=error.hint) from None
    except TransportError as error:
        raise type(error)(f"cannot verify the values: {error.message}", hint=SKIP) from None
