"""Secrets leave a change as numbers, wherever it holds them."""

from __future__ import annotations

from rsspot.models.refs import Ref
from rsspot.planner.change import Action, Change, Edit
from rsspot.planner.masking import Masks, masked

WEBHOOK = ("spec", "webhook")
CREATED = Change("cloudspace/edge", Action.CREATE, Ref("CloudSpace", "edge"), "test", secrets=(WEBHOOK,))


def test_equal_secrets_have_equal_numbers() -> None:
    """In an edit and in a body, so that a reader can tell that a secret is the same."""
    edits = (Edit(WEBHOOK, "one", "two", secret=True), Edit(("spec", "cni"), "one", None))
    change = Change(**{**vars(CREATED), "edits": edits, "body": {"spec": {"webhook": "two", "cni": "two"}}})
    shown = masked(change, Masks())
    assert [(edit.before, edit.after) for edit in shown.edits] == [("(secret #1)", "(secret #2)"), ("one", None)]
    assert shown.body == {"spec": {"webhook": "(secret #2)", "cni": "two"}}


def test_where_a_change_says_a_secret_is_and_none_is_nothing_is_masked() -> None:
    """As in a plan file that somebody edited."""
    for body in (None, {"spec": {}}, {"spec": {"webhook": None}}):
        change = Change(**{**vars(CREATED), "body": body})
        assert masked(change, Masks()).body == body
