"""Persona: the user that a token names."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rsspot.auth.persona import Persona
from rsspot.auth.token import Token
from rsspot.simulator.clock import ManualClock
from rsspot.simulator.world import World
from support.issuer import id_token

EMPTY = Persona(None, None, None, None, None, None, None)


def test_a_token_of_the_service_fills_every_field() -> None:
    """Including organization ID, namespace and expiry."""
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
def test_missing_or_invalid_claims_are_none(bearer: str) -> None:
    """A claim of the wrong type counts as missing."""
    assert Persona.of(Token.parse(bearer)) == EMPTY


def test_a_persona_shows_no_token() -> None:
    """Users print it."""
    assert "canary" not in repr(Persona.of(Token.parse(id_token(email="a@example.com"))))
