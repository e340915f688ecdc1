"""The public price feeds: their exact formats, with strings and floats mixed as on the service."""

import json
from itertools import pairwise

import pytest

from rsspot.simulator.spot.auction import PERIOD
from rsspot.simulator.spot.feeds import WINDOW

NAME = "gp.vs1.large-ord"
POOL = "0a6e2c1e-7a53-5c5e-9d7c-0f4a0a4b9a01"


def feed(tenant, path):
    """Get a feed without authentication."""
    return tenant.ask("GET", path, Authorization=None)


def figures(tenant, region="us-central-ord-1", name=NAME):
    """The entry of a class in the percentiles feed."""
    return feed(tenant, "/percentiles.json").said["regions"][region]["serverclasses"][name]


def test_percentiles_have_the_documented_format(tenant):
    """Regions have a generation, and every class has its figures in mixed types."""
    status, result = feed(tenant, "/percentiles.json")
    assert status == 200
    assert set(result) == {"regions"}
    assert {name: region["generation"] for name, region in result["regions"].items()}["us-west-sjc-1"] == "v2"
    assert len(result["regions"]) == 8
    assert sum(len(region["serverclasses"]) for region in result["regions"].values()) == len(tenant.spot.world.prices)
    about = figures(tenant)
    assert about | {"20_percentile": 0, "50_percentile": 0, "80_percentile": 0} == {
        "display_name": "General Virtual Server.Large",
        "category": "General Purpose",
        "description": "US Central, Chicago, IL",
        "cpu": "4",
        "memory": "15GB",
        "market_price": "0.009000",
        "20_percentile": 0,
        "50_percentile": 0,
        "80_percentile": 0,
    }


def test_percentiles_are_floats_plus_a_tenth_of_a_cent(tenant):
    """Including the rounding error of the addition."""
    assert all(isinstance(figures(tenant)[f"{percent}_percentile"], float) for percent in (20, 50, 80))
    assert figures(tenant)["50_percentile"] == 0.009 + 0.001
    assert figures(tenant, "us-west-sjc-1", "ch.vs2.large-sjc")["50_percentile"] == 0.03 + 0.001 == 0.031
    assert figures(tenant, "us-west-sjc-1", "gp.vs2.large-sjc")["50_percentile"] == 0.04 + 0.001


def test_percentiles_are_in_order(tenant):
    """The 20th is at most the 50th, and the 50th at most the 80th, for every class."""
    for region in feed(tenant, "/percentiles.json").said["regions"].values():
        for about in region["serverclasses"].values():
            assert 0.001 < about["20_percentile"] <= about["50_percentile"] <= about["80_percentile"]


def test_the_market_price_is_that_of_the_auction(tenant):
    """Including the effect of the tenant's own bids."""
    scarce = "gpu.vs2.xlargeplusplus-sjc"
    tenant.cloudspace(region="us-west-sjc-1")
    tenant.pool(POOL, serverClass=scarce, bidPrice="0.22", desired=9)
    tenant.spot.advance(60)
    assert figures(tenant, "us-west-sjc-1", scarce)["market_price"] == "0.220000"


def test_a_history_has_the_documented_format(tenant):
    """One entry per hour for thirty days until now, oldest first, never below the minimum price."""
    status, result = feed(tenant, f"/history/{NAME}")
    assert status == 200
    assert (set(result), result["auction"], len(result["history"])) == ({"auction", "history"}, NAME, WINDOW)
    assert all(set(entry) == {"run_at", "hammer_price"} for entry in result["history"])
    times = [entry["run_at"] for entry in result["history"]]
    assert all(type(each) is int for each in times)
    assert {later - earlier for earlier, later in pairwise(times)} == {int(PERIOD)}
    assert 0 <= tenant.spot.clock.time() - times[-1] < PERIOD
    prices = [entry["hammer_price"] for entry in result["history"]]
    assert all(type(each) is float for each in prices)
    assert min(prices) == 0.01
    assert len(set(prices)) > 1


def test_a_class_without_a_minimum_is_billed_at_the_market_price(tenant):
    """Bare metal classes have no minimum."""
    prices = [entry["hammer_price"] for entry in feed(tenant, "/history/io.bm2-iad").said["history"]]
    assert min(prices) < 0.01


def test_the_history_does_not_change_later(tenant):
    """An hour later there is a new last entry and the first is gone; the others are the same."""
    before = feed(tenant, f"/history/{NAME}").said["history"]
    tenant.spot.advance(PERIOD)
    after = feed(tenant, f"/history/{NAME}").said["history"]
    assert after[:-1] == before[1:]
    assert after[-1] not in before


def test_feeds_are_determined_by_the_seed(new_tenant):
    """Byte for byte."""
    paths = ("/percentiles.json", f"/history/{NAME}", "/comparable_prices.json")
    result = [json.dumps([feed(new_tenant(seed=seed), path) for path in paths]) for seed in (7, 7, 8)]
    assert result[0] == result[1] != result[2]


@pytest.mark.parametrize("name", ["gp.vs9.large-ord", "us-central-ord-1"])
def test_an_unknown_class_has_no_history(tenant, name):
    """The response is a 400, as documented."""
    status, result = feed(tenant, f"/history/{name}")
    assert (status, result["error"]) == (400, "bad_request")


def test_comparables_have_the_documented_format(tenant):
    """Prices have a dollar sign."""
    status, result = feed(tenant, "/comparable_prices.json")
    assert status == 200
    about = result["regions"]["us-central-ord-1"][NAME]
    assert set(about) == {"hyperscaler_average_price", "comparables"}
    assert [each["cloud"] for each in about["comparables"]] == ["aws", "azure", "gcp"]
    for each in about["comparables"]:
        assert set(each) == {"cloud", "class", "price"}
    prices = [float(each["price"].removeprefix("$")) for each in about["comparables"]]
    average = float(about["hyperscaler_average_price"].removeprefix("$"))
    assert all(each["price"].startswith("$") for each in about["comparables"])
    assert min(prices) <= average <= max(prices)
