"""Plans and problems as text: nothing in a value can move the cursor, hide the message or color a log."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rsspot.errors import Origin, Problem
from rsspot.models.refs import Ref
from rsspot.planner.change import Action, Change, Edit
from rsspot.planner.plan import Leftover, Plan
from rsspot.reports.problems import LONGEST_LINE, render_problems
from rsspot.reports.text import render_plan
from rsspot.utils.text import columns

EVIL = "\x1b[2J\x1b]0;owned\x07\r\n+ fake/line\u202e\x00"


def plan_of(*changes: Change, **more: object) -> Plan:
    """A plan of these changes."""
    return Plan("scope", "org", "stack", "apply", changes, **more)  # type: ignore[arg-type]


def update(before: object, after: object, **more: object) -> Change:
    """A change of one label."""
    edit = Edit(("spec", "customLabels", "team"), before, after, **more)  # type: ignore[arg-type]
    return Change("pool/a", Action.UPDATE, Ref("SpotNodePool", "a"), "declared otherwise", edits=(edit,))


def harmless(text: str) -> bool:
    """Whether every line is printable."""
    return all(line.isprintable() for line in text.split("\n"))


@pytest.mark.parametrize("value", [EVIL, [EVIL], {"deep": {"er": EVIL}}])
def test_control_characters_in_values_are_escaped(value: object) -> None:
    """Values of a server or a manifest cannot control the terminal."""
    text = render_plan(plan_of(update(value, "red"), update("red", value)))
    assert harmless(text)
    assert "\\x1b" in text or "\\u001b" in text


def test_control_characters_in_a_new_object_are_escaped() -> None:
    """Nor can the fields of an object to create, or their names."""
    body = {"spec": {"customLabels": {"team": EVIL, EVIL: "red"}}}
    change = Change("pool/a", Action.CREATE, Ref("SpotNodePool", "a"), "declared", body=body)
    assert harmless(render_plan(plan_of(change)))


def test_control_characters_in_the_name_of_a_field_are_escaped() -> None:
    """Nor can the name of a label."""
    edit = Edit(("spec", "customLabels", EVIL), None, "red")
    assert harmless(render_plan(plan_of(Change("pool/a", Action.UPDATE, Ref("P", "a"), "why", edits=(edit,)))))


def test_control_characters_in_names_notes_and_reasons_are_escaped() -> None:
    """Nor can the name of a live object, a note, or the reason of a failed read."""
    change = Change(f"pool/{EVIL}", Action.DELETE, Ref("SpotNodePool", "a"), f"goes down with {EVIL}")
    leftover = Leftover(f"pool/{EVIL}", Ref("SpotNodePool", "b"))
    text = render_plan(plan_of(change, undeclared=(leftover,), notes=(EVIL,), incomplete={"VMPool": EVIL}))
    assert harmless(text)


def test_control_characters_in_a_file_name_are_escaped() -> None:
    """Nor can the name of a manifest, nor a kind that could not be listed."""
    origin = Origin(EVIL, 1, 1)
    create = Change("pool/a", Action.CREATE, Ref("SpotNodePool", "a"), "declared", origin, body={"spec": {}})
    drifted = replace(update("red", "blue"), origin=origin)
    assert harmless(render_plan(plan_of(create, drifted, incomplete={EVIL: EVIL})))


def test_columns_align_for_east_asian_and_combining_characters() -> None:
    """They fill two columns of a terminal, or none."""
    addresses = ("pool/東京", "pool/Zoe\u0308", "pool/plain")
    changes = [Change(address, Action.CREATE, Ref("P", "a"), "declared") for address in addresses]
    lines = [line for line in render_plan(plan_of(*changes)).splitlines() if "pool/" in line]
    assert len({columns(line[: line.index("create")]) for line in lines}) == 1


def test_the_mark_stands_under_the_column_of_a_terminal(tmp_path: Path) -> None:
    """Also after wide characters."""
    file = tmp_path / "a.yaml"
    file.write_text("東京: x\n")
    _, quote, mark = render_problems([Problem("bad", Origin(str(file), 1, 5))]).splitlines()
    assert columns(mark[: mark.index("^")]) == columns(quote[: quote.index("x")])


def test_a_long_value_is_truncated() -> None:
    """One value never fills the screen."""
    text = render_plan(plan_of(update("x" * 5_000, ["y" * 5_000])))
    assert max(map(len, text.splitlines())) < 400
    assert "…" in text


def test_color_is_off_by_default() -> None:
    """Logs stay plain."""
    plan = plan_of(update("red", "blue"))
    assert "\x1b" not in render_plan(plan)
    assert "\x1b[33m" in render_plan(plan, color=True)


def test_color_only_adds_escape_sequences() -> None:
    """Without them, the colored plan equals the plain one."""
    plan = plan_of(update("red", "blue"))
    assert render_plan(plan, color=True).replace("\x1b[33m", "").replace("\x1b[0m", "") == render_plan(plan)


def test_a_secret_is_shown_as_a_number() -> None:
    """Equal secrets have one number, different ones have different numbers, and no secret is shown."""
    text = render_plan(plan_of(update("hunter2", "hunter3", secret=True), update("hunter3", None, secret=True)))
    assert "hunter" not in text
    assert "(secret #1) -> (secret #2)" in text
    assert "(secret #2) -> (none)" in text


def test_a_secret_of_a_new_object_is_shown_as_a_number() -> None:
    """The secret fields of a created object are masked."""
    body = {"spec": {"region": "dfw", "webhook": "hunter2"}}
    change = Change(
        "cloudspace/a", Action.CREATE, Ref("CloudSpace", "a"), "declared", body=body, secrets=(("spec", "webhook"),)
    )
    text = render_plan(plan_of(change))
    assert "hunter2" not in text
    assert "(secret #1)" in text


def test_an_empty_plan_is_one_line() -> None:
    """It says that there are no changes."""
    assert render_plan(plan_of()) == "No changes."


def test_destructive_changes_come_last() -> None:
    """They stand next to the summary."""
    changes = [
        Change(f"pool/{action.value}", action, Ref("P", "a"), "why")
        for action in (Action.DELETE, Action.UPDATE, Action.REPLACE, Action.CREATE, Action.ADOPT)
    ]
    lines = [line.split()[1] for line in render_plan(plan_of(*changes)).splitlines() if "pool/" in line]
    assert lines == ["pool/adopt", "pool/create", "pool/update", "pool/replace", "pool/delete"]


def test_a_problem_quotes_its_line(tmp_path: Path) -> None:
    """The line as written, with a mark under the column."""
    file = tmp_path / "a.yaml"
    file.write_text("spec:\n\tregoin: dfw\n")
    text = render_problems([Problem("unknown field 'regoin'", Origin(str(file), 2, 2), "did you mean 'region'?")])
    assert text.splitlines() == [
        f"error: {file}:2:2: unknown field 'regoin'",
        "  2 |  regoin: dfw",
        "    |  ^",
        "  hint: did you mean 'region'?",
    ]


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    """A second problem about a file quotes its current content."""
    file = tmp_path / "a.yaml"
    problem = Problem("bad", Origin(str(file), 1, 1))
    file.write_text("before\n")
    assert "1 | before" in render_problems([problem])
    file.write_text("after\n")
    assert "1 | after" in render_problems([problem])


def test_a_line_with_control_characters_is_not_quoted(tmp_path: Path) -> None:
    """A manifest of a pull request cannot control the reviewer's terminal."""
    file = tmp_path / "a.yaml"
    file.write_text(f"key: {EVIL!s}\n")
    assert harmless(render_problems([Problem("bad value", Origin(str(file), 1, 1))]))


def test_control_characters_in_a_message_are_escaped() -> None:
    """Nor can it through a message or a hint that repeats a value."""
    assert harmless(render_problems([Problem(f"unknown kind {EVIL}", hint=f"not {EVIL}")]))


@pytest.mark.parametrize("column", [1, 5, 80, 500, 900, 1_000])
def test_a_long_line_is_shortened_around_its_place(tmp_path: Path, column: int) -> None:
    """A line of a thousand characters would hide the message; the mark stands where it belongs."""
    file = tmp_path / "a.yaml"
    file.write_text("x" * (column - 1) + "!" + "x" * (1_000 - column))
    _, quote, mark = render_problems([Problem("bad", Origin(str(file), 1, column))]).splitlines()
    assert len(quote) < LONGEST_LINE + 20
    assert quote[mark.index("^")] == "!"
    assert quote.count("…") == (column > LONGEST_LINE // 2 + 1) + (column < 1_000 - LONGEST_LINE // 2)


@pytest.mark.parametrize(
    ("text", "line", "column", "shown"),
    [
        ("regoin: dfw # Dallas\n", 1, 1, "regoin: dfw # Dallas"),
        ("spec:\n  desired 3\n", 2, 3, "  desired 3"),
        ("passwrod: hunter2\n", 1, 1, "passwrod…"),
        ("apiToken:\n  value: hunter2\n", 2, 3, "  value…"),
        ("note: 9f86d081884c7d659a2feaa0c55ad015\n", 1, 1, "note…"),
        ("note: https://user@example.com\n", 1, 1, "note…"),
    ],
)
def test_a_line_that_was_not_understood(tmp_path: Path, text: str, line: int, column: int, shown: str) -> None:
    """It is quoted whole unless it, or what it stands in, may hold a secret."""
    file = tmp_path / "a.yaml"
    file.write_text(text)
    problem = Problem("unknown field", Origin(str(file), line, column), quotable=False)
    _, quote, _ = render_problems([problem], secrets=["secret"]).splitlines()
    assert quote == f"  {line} | {shown}"


@pytest.mark.parametrize("origin", [Origin("gone.yaml"), Origin("gone.yaml", 5, 1), None])
def test_a_problem_without_a_line_is_reported_without_quote(origin: Origin | None) -> None:
    """If the file is gone, or there is none, only the quote is missing."""
    assert render_problems([Problem("bad", origin)]).endswith("bad")


def test_quoting_can_be_disabled(tmp_path: Path) -> None:
    """A line that may contain a secret is not shown."""
    file = tmp_path / "a.yaml"
    file.write_text("webhook: hunter2\n")
    assert "hunter2" not in render_problems([Problem("bad", Origin(str(file), 1, 1))], quote=False)
