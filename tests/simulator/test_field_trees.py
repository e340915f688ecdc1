"""Managed fields followed in their tree: the same as taking the tree apart and building it again."""

import json

from hypothesis import given
from hypothesis import strategies as st

from rsspot.simulator.apiserver.field_trees import holds, is_ordered, with_changes
from rsspot.simulator.apiserver.fields import paths_of, tree

PATHS = st.lists(st.sampled_from(["f:a", "f:b", 'k:{"uid":"1"}', "v:1"]), min_size=1, max_size=4).map(tuple)
SETS = st.sets(PATHS, max_size=8)


@given(SETS, SETS, SETS)
def test_a_changed_tree_is_the_tree_of_the_changed_fields(before, added, removed):
    """Byte for byte, whatever is in it, and the tree before stays as it was."""
    old = tree(before)
    text = json.dumps(old)
    gone = removed - added
    assert json.dumps(with_changes(old, added, gone)) == json.dumps(tree((before - gone) | added))
    assert json.dumps(old) == text


@given(SETS, SETS)
def test_a_tree_holds_exactly_its_fields(fields, others):
    """Not those above or below them."""
    made = tree(fields)
    assert paths_of(made) == fields
    assert {path for path in fields | others if holds(made, path)} == fields


@given(SETS)
def test_a_tree_of_ours_is_in_order(fields):
    """So it can be changed in place of being built again."""
    assert is_ordered(tree(fields))


def test_a_tree_in_another_order_is_known():
    """Go clients write the mark of the field itself first, and may sort differently."""
    assert not is_ordered({"f:a": {".": {}, "f:b": {}}})
    assert not is_ordered({"f:b": {}, "f:a": {}})
    assert not is_ordered({"f:a": {".": {}}})


def test_what_stays_is_shared():
    """A change does not copy the rest of a large tree."""
    old = tree({("f:status", f"f:bid{number}", "f:won") for number in range(50)})
    new = with_changes(old, [("f:status", "f:bid7", "f:type")], [])
    shared = [each for each in old["f:status"] if new["f:status"][each] is old["f:status"][each]]
    assert len(shared) == 49
