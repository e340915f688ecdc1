"""The page of a plan in a real browser: it needs nobody, runs nothing of others, can be searched, read and printed."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from rsspot.planner.change import Action
from rsspot.planner.plan import Plan
from rsspot.reports.html import HtmlReport
from support.browser import browser
from support.plans import HOSTILE, plan_of_size

__all__ = ["browser"]
expect.set_options(timeout=30_000)
AXE = Path(__file__).parents[2] / ".venv/javascript-client/node_modules/axe-core/axe.min.js"
PART = 100
OpenPage = Callable[..., Page]


def html(plan: Plan) -> str:
    return HtmlReport().plan(plan)


@pytest.fixture
def open_plan(browser: Any, tmp_path: Path) -> Any:
    """Open the page of a plan. Fails at the end if anything was complained of, asked for or run."""
    contexts, complaints, asked = [], [], []

    def start(plan: Plan, **options: Any) -> Page:
        file = tmp_path / "plan.html"
        file.write_text(html(plan), encoding="utf-8")
        contexts.append(browser.new_context(**options))
        page: Page = contexts[-1].new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri())
        assert {*asked} == {file.as_uri()}
        assert page.evaluate("window.ran") is None
        return page

    yield start
    for context in contexts:
        context.close()
    assert complaints == []
    assert len(asked) == len(contexts)


def shown(page: Page) -> Any:
    return page.locator("details.change")


@pytest.mark.parametrize("count", [0, 1, 50])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible(open_plan: OpenPage, count: int, scheme: str) -> None:
    """By all rules of axe, contrast among them, with a change open."""
    if not AXE.exists():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("make .venv/javascript installs axe")
    page = open_plan(plan_of_size(count), color_scheme=scheme)
    if count == 50:
        shown(page).locator("summary").first.click()
    page.evaluate(f"{AXE.read_text(encoding='utf-8')};0")
    found = page.evaluate("axe.run()")
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found["violations"]] == []
    assert len(found["passes"]) > 10


def test_light_and_dark_differ(open_plan: OpenPage) -> None:
    """By what the system prefers."""
    colors = [
        open_plan(plan_of_size(1), color_scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    ]
    assert colors == ["rgb(255, 255, 255)", "rgb(13, 17, 23)"]


def test_it_is_searched_by_the_keyboard(open_plan: OpenPage) -> None:
    """`/` begins a search wherever one is, every word has to be found, and Esc ends it."""
    page = open_plan(plan_of_size(50, hostile=False))
    expect(page.locator("#found")).to_have_text("50 of 50 changes")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("POOL-12 update")
    expect(page.locator("#found")).to_have_text("0 of 50 changes")
    page.keyboard.press("Escape")
    expect(page.locator("#found")).to_have_text("50 of 50 changes")
    page.keyboard.type("pool-13 update")
    expect(shown(page)).to_have_count(1)
    expect(shown(page)).to_contain_text("spotnodepool/cs-1/pool-13")
    expect(shown(page).locator("tr", has_text="bidPrice")).to_contain_text("0.05")
    page.keyboard.type("/")
    expect(page.locator("#search")).to_have_value("pool-13 update/")


def test_a_field_and_a_value_can_be_searched(open_plan: OpenPage) -> None:
    """Not only names."""
    page = open_plan(plan_of_size(50))
    page.locator("#search").fill("octocat")
    expect(shown(page)).to_have_count(4)


def test_thousands_of_changes_are_listed_as_they_are_scrolled_to(open_plan: OpenPage) -> None:
    """A part at a time; all of them are found."""
    page = open_plan(plan_of_size(5_000, hostile=False))
    expect(page.locator("#found")).to_have_text("5000 of 5000 changes")
    assert shown(page).count() <= 3 * PART
    before = shown(page).count()
    page.locator("#more").scroll_into_view_if_needed()
    expect(shown(page).nth(before)).to_be_attached()
    page.locator("#search").fill("pool-4999")
    expect(shown(page)).to_have_count(1)
    assert page.locator(".graph svg g").count() <= 300


def test_what_destroys_is_listed_first(open_plan: OpenPage) -> None:
    """Deletes, and then replacements."""
    page = open_plan(plan_of_size(12))
    actions = [text.split(",")[0] for text in page.locator("summary .action").all_text_contents()]
    assert actions[:4] == ["delete", "delete", "replace", "replace"]


def test_every_hostile_text_is_shown_as_text(open_plan: OpenPage) -> None:
    """In names, fields, notes and refusals; none of them is an element."""
    page = open_plan(plan_of_size(len(HOSTILE)))
    expect(page.locator("body")).to_contain_text("</details></summary></pre></script><!-- -->")
    expect(page.locator("body")).to_contain_text("<b>bold</b><script>window.ran=1</script>")
    assert page.locator("main b, main img, main a, main script").count() == 0


def test_printing_shows_every_change_with_its_fields(open_plan: OpenPage) -> None:
    """On paper nothing can be opened, and there is nothing to search."""
    page = open_plan(plan_of_size(250, hostile=False))
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    expect(page.locator("details.change[open] > :nth-child(2)")).to_have_count(250)
    expect(page.locator(".tools")).to_be_hidden()
    assert page.pdf()[:4] == b"%PDF"


def test_prices_have_a_chart_with_the_bids(open_plan: OpenPage) -> None:
    """And a table of how often each bid would have lost."""
    page = open_plan(plan_of_size(2, hostile=False))
    figure = page.locator("figure", has_text="gp.vs1.large-dfw")
    expect(figure.locator("line.bid")).to_have_count(2)
    expect(figure.locator("tbody tr").first).to_contain_text("9 of 24")


# Without a browser


def test_the_page_names_no_other_place() -> None:
    """Its policy forbids to load anything, and it has nothing to load."""
    page = html(plan_of_size(1, hostile=False))
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "unsafe" not in policy and "http" not in policy
    assert re.findall(r"https?://|\b(?:src|href|action)=(?!\"data:,\")", page) == []
    assert " style=" not in page and re.findall(r"<[^>]* on\w+=", page) == []


@pytest.mark.parametrize("count", [0, 50, 10_000])
def test_the_changes_are_all_there(count: int) -> None:
    """As JSON in which nothing ends the script, each with its fields."""
    page = html(plan_of_size(count, actions=tuple(Action)))
    (found,) = re.findall(r'<script type="application/json" id="changes-data">([^<]*)</script>', page)
    assert len(json.loads(found)) == count
    assert page.count("<script") == 2


def test_a_page_without_past_prices_has_no_such_section() -> None:
    """A plan keeps them only if a page is asked for when it is made."""
    assert "Prices and bids" not in html(Plan("scope", "org", "demo", "apply", ()))
    assert "Prices and bids" in html(plan_of_size(1))
