"""Fixtures: tenants of simulated worlds, and simulators as processes."""

import pytest

from support.processes import environment, serve, stop
from support.tenancy import Spot, Tenant

__all__ = ["environment", "serve", "stop"]


@pytest.fixture
def new_tenant():
    """Create tenants, each in its own world: `new_tenant(seed=2)`."""
    made = []

    def make(**options):
        made.append(Tenant(Spot(**options)))
        return made[-1]

    yield make
    for tenant in made:
        tenant.spot.world.close()


@pytest.fixture
def tenant(new_tenant):
    """The tenant of a fresh world."""
    return new_tenant()
