"""Which fields a manifest has a say in, when a switch decides over them."""

import pytest

from rsspot.planner.diff import managed
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
