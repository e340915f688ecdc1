"""Who a token says we are, with as much as it says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rsspot.auth.persona import Persona
from rsspot.auth.token import Token
from rsspot.simulator.clock import ManualClock
from rsspot.simulator.world import World
from support.issuer import id_token

NOBODY = Persona(None, None, None, None, None, None, None)


def test_a_token_of_the_service_says_everything() -> None:
    """Both spellings of the organization, and when it ends."""
    clock = ManualClock()
    world = World(clock=clock)
    organization = world.organizations[0]
    persona = Persona.of(Token.parse(world.identity.id_token(organization)))
    assert persona.email == "sandbox@example.com"
    assert persona.subject == "auth0|sandbox"
    assert (persona.organization_id, persona.namespace) == (organization.id, organization.namespace)
    assert persona.group == "cloudspace-admin"
    assert persona.issuer == "https://login.spot.rackspace.com/"
    assert persona.until == datetime.fromtimestamp(clock.time() + world.identity.lifetime, UTC)
    world.close()


@pytest.mark.parametrize("bearer", ["opaque", id_token(), id_token(email=5, sub=None, org_id=["x"], exp="soon")])
def test_what_a_token_does_not_say_is_not_known(bearer: str) -> None:
    """Or says in a way that makes no sense."""
    assert Persona.of(Token.parse(bearer)) == NOBODY


def test_a_persona_shows_no_token() -> None:
    """It is made to be printed."""
    assert "canary" not in repr(Persona.of(Token.parse(id_token(email="a@example.com"))))
