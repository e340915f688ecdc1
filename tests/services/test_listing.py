"""What `list()` returns: a list, which also has the plural of what it holds."""

from __future__ import annotations

import copy
import pickle

import pytest

from rsspot.client.async_client import AsyncSpotClient
from rsspot.client.groups import AsyncGroups, Group
from rsspot.resources.collection import Collection
from rsspot.resources.listing import Listing
from rsspot.testing import SimulatedSpot

GROUPS = sorted(name for name, value in vars(AsyncGroups).items() if isinstance(value, Group))
OTHER_PLURALS = {"pricing": "quotes", "inventory": "machines"}


@pytest.mark.parametrize("group", GROUPS)
async def test_every_list_has_its_plural(spot_client: AsyncSpotClient, group: str) -> None:
    """Under the name of the group, and as `items`."""
    found = await getattr(spot_client, group).list()
    assert isinstance(found, Listing)
    assert getattr(found, OTHER_PLURALS.get(group, group)) is found.items is found


async def test_a_kind_without_a_group_has_it_too(spot_client: AsyncSpotClient) -> None:
    """By the plural of its paths."""
    groups = {name: getattr(spot_client, name) for name in GROUPS}
    for group in groups.values():
        if isinstance(group, Collection):
            assert getattr(await spot_client.collection(group.kind).list(), group.kind.plural) is not None


async def test_it_is_a_list(spot_client: AsyncSpotClient) -> None:
    """In every respect: equal, sliced, joined, copied and pickled."""
    found = await spot_client.regions.list()
    plain = list(found)
    assert found == plain
    assert plain == found
    assert (len(found), found[0], found[1:3], found[-1]) == (len(plain), plain[0], plain[1:3], plain[-1])
    assert [each.name for each in found.regions] == [each.name for each in plain]
    assert found + plain == plain + plain
    assert repr(found) == repr(plain)
    for copied in (copy.copy(found), pickle.loads(pickle.dumps(found))):
        assert copied.regions == plain


async def test_another_name_is_no_attribute(spot_client: AsyncSpotClient) -> None:
    """Neither another plural nor a private name."""
    found = await spot_client.regions.list()
    for name in ("organizations", "region", "_regions", "__fspath__"):
        assert not hasattr(found, name)
    with pytest.raises(AttributeError, match="'Listing' object has no attribute 'organizations'"):
        _ = found.organizations


def test_wire_names_can_be_read(spot_api: SimulatedSpot) -> None:
    """As attributes of any part of an object, and as keys of the whole; nothing else can."""
    with spot_api.sync_client() as client:
        found = client.server_classes.get("gp.vs1.large-dfw")
    assert found.apiVersion == found.api_version
    assert found.spec.minBidPricePerHour == found.minimum
    assert found.status.spotPricing.marketPricePerHour == found.market
    assert found["spec"]["displayName"] == found.display_name
    for name in ("minBidPrice", "min_Bid_Price_Per_Hour", "_private"):
        assert not hasattr(found.spec, name)
    with pytest.raises(KeyError):
        _ = found["data"]
