"""One comment for each stack: found again on any page, updated in place, and never somebody else's."""

from __future__ import annotations

import pytest

from rsspot.review.protocol import CodeHost
from rsspot.review.sticky import Posted, last_post, marker_of, put
from rsspot.simulator.clock import ManualClock
from support.code_hosts import BOT, PERSON, Answered, CodeHosts

MARKER = "<!-- rsspot:plan:edge -->"
OTHER = "<!-- rsspot:plan:core -->"


@pytest.fixture
def host(opened, name: str) -> CodeHost:
    return opened(name)


async def post(host: CodeHost, text: str, clock: ManualClock) -> Posted:
    posts = host.comments(7)
    return await put(posts, await last_post(posts, MARKER), text, clock)


def bodies(hosts: CodeHosts) -> list[str]:
    return [each["body"] for each in hosts.comments[7]]


async def test_the_first_is_created_and_the_next_replaces_it(
    host: CodeHost, hosts: CodeHosts, clock: ManualClock
) -> None:
    """In place, so that a thread has one comment for a stack however often it is planned."""
    assert (await post(host, f"{MARKER}\none", clock)).action == "created"
    assert (await post(host, f"{MARKER}\ntwo", clock)).action == "updated"
    assert bodies(hosts) == [f"{MARKER}\ntwo"]


async def test_the_same_text_is_not_sent_again(host: CodeHost, hosts: CodeHosts, clock: ManualClock) -> None:
    """Also where the host has other line ends."""
    hosts.say(7, f"{MARKER}\r\none\r\n")
    assert (await post(host, f"{MARKER}\none", clock)).action == "unchanged"
    assert not hosts.sent("^(POST|PATCH|PUT)")


async def test_it_is_found_on_the_third_page(host: CodeHost, hosts: CodeHosts, clock: ManualClock) -> None:
    """Of a long thread; the pages are asked of the address that was given, whatever the server calls itself."""
    for number in range(250):
        hosts.say(7, f"comment {number}")
    hosts.comments[7][230]["body"] = f"{MARKER}\none"
    assert (await post(host, f"{MARKER}\ntwo", clock)).action == "updated"
    assert hosts.comments[7][230]["body"] == f"{MARKER}\ntwo"
    assert [each.query.get("page") for each in hosts.asked if each.path.endswith(("comments", "notes"))][:3] == [
        None,
        "2",
        "3",
    ]


async def test_comments_of_other_stacks_stay(host: CodeHost, hosts: CodeHosts, clock: ManualClock) -> None:
    """And those that only quote the marker."""
    others = [f"{OTHER}\nold", f"> {MARKER}\n> one", f"look: {MARKER}", "hello"]
    for text in others:
        hosts.say(7, text)
    assert (await post(host, f"{MARKER}\none", clock)).action == "created"
    assert bodies(hosts) == [*others, f"{MARKER}\none"]


async def test_a_comment_of_somebody_else_is_not_taken_over(
    host: CodeHost, hosts: CodeHosts, clock: ManualClock
) -> None:
    """Its author could change what it says after we wrote it."""
    hosts.say(7, f"{MARKER}\nforged", PERSON)
    assert (await post(host, f"{MARKER}\none", clock)).action == "created"
    assert bodies(hosts) == [f"{MARKER}\nforged", f"{MARKER}\none"]


async def test_the_token_of_a_person_finds_its_own_comments(
    host: CodeHost, hosts: CodeHosts, clock: ManualClock
) -> None:
    """Not those of bots."""
    hosts.user = PERSON
    hosts.say(7, f"{MARKER}\nof a bot", BOT)
    hosts.say(7, f"{MARKER}\nmine", PERSON)
    await post(host, f"{MARKER}\nnew", clock)
    assert bodies(hosts) == [f"{MARKER}\nof a bot", f"{MARKER}\nnew"]


@pytest.mark.parametrize("served", [True, False], ids=["done", "not done"])
async def test_a_create_whose_answer_was_lost_is_looked_for(
    host: CodeHost, hosts: CodeHosts, clock: ManualClock, served: bool
) -> None:
    """So there is one comment, whether or not the request went through."""
    hosts.script("^POST", Answered(502, b"<html>unicorn</html>"), served=served)
    assert (await post(host, f"{MARKER}\none", clock)).action == "created"
    assert bodies(hosts) == [f"{MARKER}\none"]
    assert len(hosts.sent("^POST")) == (1 if served else 2)


async def test_an_issue_is_opened_updated_and_closed(host: CodeHost, hosts: CodeHosts, clock: ManualClock) -> None:
    """Closed ones are left alone: the next drift opens another."""
    issues = host.issues("Drift")
    assert (await put(issues, await last_post(issues, MARKER), f"{MARKER}\none", clock)).action == "created"
    assert (await put(issues, await last_post(issues, MARKER), f"{MARKER}\ntwo", clock)).action == "updated"
    done = await put(issues, await last_post(issues, MARKER), f"{MARKER}\nnone", clock, closed=True)
    assert done.action == "closed" and hosts.issues[0]["state"] == "closed"
    assert await last_post(issues, MARKER) is None
    assert [each["title"] for each in hosts.issues] == ["Drift"]


@pytest.mark.parametrize(
    ("text", "marker"),
    [
        (f"{MARKER}\nx", MARKER),
        (f"\ufeff\n {MARKER} \r\nx", MARKER),
        (f"x\n{MARKER}", None),
        (f"{MARKER} x", None),
        ("<!-- rsspot:plan:a b -->", None),
        ("", None),
    ],
)
def test_a_marker_is_the_whole_first_line(text: str, marker: str | None) -> None:
    assert marker_of(text) == marker
