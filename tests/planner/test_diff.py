"""Which fields an object has, and in which a manifest has a say when a switch decides over them."""

import pytest

from rsspot.planner.diff import managed, passed_over
from rsspot.resources.registry import kinds

DESIRED = ("spec", "desired")


@pytest.mark.parametrize(
    ("written", "living", "is_managed"),
    [
        (None, None, True),
        (None, False, True),
        (None, True, False),
        (False, True, True),
        (True, False, False),
        (True, None, False),
    ],
)
def test_a_field_yields_to_its_switch_as_written_or_else_as_it_lives(
    written: bool | None, living: bool | None, is_managed: bool
) -> None:
    """A manifest that says nothing of autoscaling does not fight it."""
    spec = {"desired": 2} | ({} if written is None else {"autoscaling": {"enabled": written}})
    live = {"spec": {} if living is None else {"autoscaling": {"enabled": living}}}
    assert (DESIRED in managed(kinds()["SpotNodePool"], {"spec": spec}, live)) is is_managed


def test_a_field_is_found_by_its_path_or_by_what_holds_it() -> None:
    """What this version does not know is no field of its own."""
    kind = kinds()["SpotNodePool"]
    assert kind.field_at(("spec", "desired")) is kind.fields["desired",]
    assert kind.field_at(("spec", "customLabels", "team")) is kind.fields["customLabels",]
    assert kind.field_at(("spec", "future", "field")) is None
    assert kind.field_at(("metadata", "labels", "team")) is None


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("bidRequests", ["mine"], "set by the service"),
        ("region", None, "left to the service: null cannot remove it"),
        ("region", "dfw", None),
    ],
)
def test_a_field_that_is_not_compared_has_a_reason(name: str, value: object, why: str | None) -> None:
    """The others are."""
    field = kinds()["CloudSpace"].fields[name,]
    assert passed_over(field, {"spec": {name: value}}, {"spec": {}}, value) == why
