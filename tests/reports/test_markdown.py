"""The comment on a pull request: it fits, shows what destroys first, and nothing in it acts on anybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from rsspot.planner.change import Action, Change
from rsspot.planner.plan import Plan
from rsspot.reports.markdown import BUDGET, MarkdownReport
from rsspot.reports.markdown_syntax import code, fence, marker
from rsspot.reports.protocol import Detail
from support.plans import HOSTILE, plan_of_size

DESTROY = (Action.DELETE, Action.REPLACE)
OUR_MARKUP = re.compile(r"<!-- rsspot:plan:demo -->|<details><summary>[\w ,]+</summary>|</details>")


def markdown(plan: Plan) -> str:
    return MarkdownReport().plan(plan)


def tokens(text: str) -> Iterator[Token]:
    """Everything that a renderer of markdown makes of a text."""
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        yield token
        yield from token.children or ()


def objects(text: str) -> set[str]:
    """The numbers of the objects whose names stand in a text."""
    return set(re.findall(r"pool-(\d+)", text))


@pytest.mark.parametrize("count", [0, 1, 50, 200, 500, 1_000, 10_000])
@pytest.mark.parametrize("actions", [(Action.CREATE,), (Action.UPDATE,), DESTROY, tuple(Action)])
@pytest.mark.parametrize("hostile", [False, True])
def test_it_is_never_too_long_to_post(count: int, actions: tuple[Action, ...], hostile: bool) -> None:
    """At any size, whatever the plan does."""
    assert len(markdown(plan_of_size(count, actions=actions, hostile=hostile))) <= BUDGET


def test_texts_of_any_length_fit() -> None:
    """Of names, reasons, notes, programs and refusals."""
    long = "`|x" * 40_000
    plan = plan_of_size(3, actions=(Action.DELETE, Action.UPDATE, Action.CREATE))
    changes = tuple(replace(each, address=f"spotnodepool/{long}", reason=long) for each in plan.changes)
    plan = replace(plan, stack=long, organization=long, changes=changes, notes=(long,) * 50, incomplete={long: long})
    plan = replace(plan, programs={long: long}, refusals=tuple(replace(each, message=long) for each in plan.refusals))
    assert len(markdown(plan)) <= BUDGET


@pytest.mark.parametrize("count", [1, 50, 500, 2_500])
def test_every_object_that_goes_is_named(count: int) -> None:
    """With its fields, on a line of its own, or in a list of names: as long as there is room for the names."""
    text = markdown(plan_of_size(count, actions=DESTROY, hostile=False))
    assert objects(text) == {str(number) for number in range(count)}
    assert "found no room" not in text


def test_what_cannot_be_named_is_counted() -> None:
    """Every one of ten thousand: the names that fit, and a count of all others."""
    text = markdown(plan_of_size(10_000, actions=DESTROY, hostile=False))
    (more,) = re.findall(r"^- and (\d+) more: ", text, re.MULTILINE)
    assert len(objects(text)) + int(more) == 10_000
    assert len(objects(text)) > 3_000
    assert f"{more} objects found no room here" in text


def test_many_other_changes_hide_none_that_destroys() -> None:
    """Creates give up their room first."""
    few = plan_of_size(300, actions=DESTROY, hostile=False).changes
    many = plan_of_size(9_000, actions=(Action.CREATE,), hostile=False).changes
    named = tuple(replace(each, address=each.address.replace("pool-", "new-")) for each in many)
    text = markdown(Plan("scope", "org", "demo", "apply", (*named, *few)))
    assert objects(text) == {str(number) for number in range(300)}
    assert text.index("Deletes and replaces 300 objects") < text.index("<details>")


def test_the_order_of_a_comment() -> None:
    """What it is about, what it costs, why it is refused, what it destroys; the rest is folded."""
    text = markdown(plan_of_size(50))
    parts = ("<!-- rsspot:plan:demo -->", "## Plan of `demo`", "8 to delete, 8 to replace", "| per hour, expected")
    parts += ("### Refused: 5 objections", "### Deletes and replaces 16 objects", "<details><summary>Create 9 objects")
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert text.startswith(parts[0])


@pytest.mark.parametrize("count", [14, 50, 1_000])
def test_nothing_of_others_is_markup(count: int) -> None:
    """No link, image, HTML or heading but ours, and no mention or reference outside of code."""
    found = list(tokens(markdown(plan_of_size(count))))
    assert {each.type for each in found}.isdisjoint({"link_open", "image", "html_inline", "em_open", "hr"})
    markup = "".join(each.content for each in found if each.type == "html_block")
    assert OUR_MARKUP.sub("", markup).strip() == ""
    assert markup.count("<details>") == markup.count("</details>")
    plain = " ".join(each.content for each in found if each.type == "text")
    assert not re.search(r"[@]|#\d|://|www\.|::", plain)
    blocks = "".join(each.content for each in found if each.type == "fence")
    assert "</details></summary></pre></script>" in blocks


@pytest.mark.parametrize("text", [*HOSTILE, "", " ", "`", "a`", "<", "|" * 9])
@pytest.mark.parametrize("wrap", ["{}", "- {}", "| {} |\n|---|", "**{}**"])
def test_code_is_code_wherever_it_stands(text: str, wrap: str) -> None:
    """In a paragraph, a list, a table and bold."""
    found = list(tokens(wrap.format(code(text))))
    assert not [each for each in found if each.type in ("link_open", "image", "em_open", "fence", "html_block")]
    markup = [each.content for each in found if each.type == "html_inline"]
    assert markup == (["<code>", "</code>"] if code(text).startswith("<code>") else [])
    assert len([each for each in found if each.type == "th_open"]) == (1 if wrap.startswith("|") else 0)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_block_of_code_ends_where_it_should(text: str) -> None:
    """Whatever is in it."""
    found = [each for each in tokens(f"{fence([text, text], 'diff')}\n\nafter") if each.nesting >= 0]
    assert [each.type for each in found] == ["fence", "paragraph_open", "inline", "text"]


@pytest.mark.parametrize("stack", ["demo", "a--b", "-->", "a --> <b>", "ü"])
def test_the_marker_is_one_comment(stack: str) -> None:
    """And differs from stack to stack."""
    assert re.fullmatch(r"<!-- rsspot:plan:(?:(?!--)[a-z0-9.%-])+ -->", marker(stack))
    assert marker(stack) != marker(f"{stack}x")


def test_compact_has_a_line_for_each_change() -> None:
    """Without its fields."""
    report = MarkdownReport()
    report.detail = Detail.COMPACT
    text = report.plan(plan_of_size(20, actions=(Action.UPDATE,), hostile=False))
    assert len(objects(text)) == 20
    assert "bidPrice" not in text


def test_an_empty_plan_says_so() -> None:
    """In two lines and the marker."""
    empty = Plan("scope", "org", "demo", "apply", ())
    assert markdown(empty).split("\n\n") == [
        "<!-- rsspot:plan:demo -->",
        "## Plan of `demo` in `org`",
        "**No changes.**",
    ]


def test_drift_is_listed() -> None:
    """Of a plan that compares with the last apply alone."""
    drifted: tuple[Change, ...] = plan_of_size(3, actions=(Action.UPDATE,), hostile=False).changes
    text = markdown(Plan("scope", "org", "demo", "refresh", (), unchanged=1, drifted=drifted))
    assert "**3 drifted, 1 as applied.**" in text
    assert "somebody else changed 3 objects" in text and objects(text) == {"0", "1", "2"}
