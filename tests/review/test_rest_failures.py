"""What the API of a code host refuses, limits or fails at: an error of ours with a way out, and never the token."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest

from rsspot.errors import (
    AuthError,
    ConfigError,
    Forbidden,
    Invalid,
    NotFound,
    OutcomeUnknown,
    RsspotError,
    ServerError,
    TooManyRequests,
    UsageError,
)
from rsspot.review.sticky import last_post, put
from rsspot.simulator.clock import ManualClock
from support.code_hosts import TOKEN, Answered, CodeHosts

MARKER = "<!-- rsspot:plan:edge -->"
TEXT = f"{MARKER}\nbody"


async def post(host, clock: ManualClock) -> None:
    posts = host.comments(7)
    await put(posts, await last_post(posts, MARKER), TEXT, clock)


@pytest.mark.parametrize(
    ("answer", "error", "told"),
    [
        (Answered(401, {"message": "Bad credentials"}), AuthError, "Bad credentials (HTTP 401)"),
        (Answered(403, {"message": "Resource not accessible by integration"}), Forbidden, "not accessible"),
        (Answered(404, {"message": "Not Found"}), NotFound, "Not Found"),
        (Answered(422, {"message": "No", "errors": [{"message": "too long"}]}), Invalid, "No; too long"),
        (Answered(400, {"message": {"body": ["is missing"]}}), Invalid, "body is missing"),
        (Answered(400, {"error": "note is invalid"}), Invalid, "note is invalid"),
        (Answered(413, b"<html>\n413</html>"), Invalid, "<html>"),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Answered) else None,
)
async def test_a_refusal_is_told_once(opened, name, hosts: CodeHosts, clock, answer, error, told) -> None:
    """With what the host said, and without another try."""
    hosts.script("^POST", answer, answer)
    with pytest.raises(error, match=told.replace("(", r"\(").replace(")", r"\)")) as raised:
        await post(opened(name), clock)
    assert len(hosts.sent("^POST")) == 1
    assert raised.value.hint or answer.status in (400, 413)


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (Answered(403, {"message": "You have exceeded a secondary rate limit"}, {"Retry-After": "42"}), 42),
        (Answered(429, {"message": "Retry later"}, {"Retry-After": "30"}), 30),
        (Answered(403, {"message": "You have exceeded a secondary rate limit"}), 60),
        (Answered(403, {"message": "no"}, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1790000090"}), 90),
    ],
    ids=["secondary", "429", "without a header", "primary"],
)
async def test_a_rate_limit_is_waited_for(opened, name, hosts: CodeHosts, clock, answer, seconds) -> None:
    """In full, also for a create: what was limited was not done."""
    hosts.script("^POST", answer)
    await post(opened(name), clock)
    assert seconds <= clock.monotonic() <= seconds + 2
    assert [each["body"] for each in hosts.comments[7]] == [TEXT]


async def test_an_hour_is_not_waited_for(opened, name, hosts: CodeHosts, clock) -> None:
    """A job should fail and say so."""
    hosts.script("^GET", Answered(403, {"message": "API rate limit exceeded"}, {"Retry-After": "3600"}))
    with pytest.raises(TooManyRequests) as raised:
        await post(opened(name), clock)
    assert raised.value.retry_after == 3600
    assert clock.monotonic() == 0


async def test_reads_and_edits_are_repeated_after_5xx(opened, name, hosts: CodeHosts, clock) -> None:
    """With growing pauses; to edit twice is to edit once."""
    hosts.say(7, f"{MARKER}\nold")
    hosts.script("^GET .*(comments|notes)$", Answered(502, b""), Answered(503, {"message": "busy"}))
    hosts.script("^(PATCH|PUT)", Answered(500, {"message": "oops"}), Answered(504, b""))
    await post(opened(name), clock)
    assert [each["body"] for each in hosts.comments[7]] == [TEXT]
    assert len(hosts.sent("^(PATCH|PUT)")) == 3


async def test_a_host_that_stays_down_is_given_up(opened, name, hosts: CodeHosts, clock) -> None:
    hosts.script("^GET", *[Answered(503, {"message": "down"})] * 20)
    with pytest.raises(ServerError, match="down"):
        await post(opened(name), clock)
    assert len(hosts.asked) == 5


async def test_a_create_that_nobody_answers_for_is_unknown(opened, name, hosts: CodeHosts, clock) -> None:
    hosts.script("^POST", *[Answered(502, b"")] * 9)
    with pytest.raises(OutcomeUnknown):
        await post(opened(name), clock)
    assert len(hosts.sent("^POST")) == 3


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"{}", b"3", b""])
async def test_what_is_no_list_is_refused(opened, name, hosts: CodeHosts, clock, body: bytes) -> None:
    """As a login page in between answers."""
    hosts.script("^GET", *[Answered(200, body)] * 9)
    with pytest.raises(ServerError, match="the response is no"):
        await post(opened(name), clock)


SPELLINGS = {
    "plain": TOKEN,
    "percent": quote(TOKEN, safe="").replace("_", "%5F"),
    "base64": base64.b64encode(f"x:{TOKEN}".encode()).decode(),
    "unicode": TOKEN.replace("_", "\\u005f"),
    "html": TOKEN.replace("_", "&#95;"),
    "cut": TOKEN[:20],
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 502])
async def test_no_error_quotes_the_token(opened, name, hosts: CodeHosts, clock, spelling: str, status: int) -> None:
    """However the host spells it."""
    answers = [Answered(status, {"message": f"no {spelling} here", "errors": [{"message": f"{spelling}!"}]})] * 9
    hosts.script("^POST", *answers)
    with pytest.raises(RsspotError) as raised:
        await post(opened(name), clock)
    shown = f"{raised.value!r} {raised.value} {raised.value.hint} {vars(raised.value)}"
    assert spelling not in shown and TOKEN[:12] not in shown and "(secret)" in shown


async def test_the_token_goes_to_its_host_alone(opened, name, hosts: CodeHosts) -> None:
    """Not over plain http, and not in what shows how to reach it."""
    hosts.url = "http://code.example"
    with pytest.raises(ConfigError, match="is not https"):
        opened(name)


def test_a_name_that_cannot_be_one_is_refused(opened) -> None:
    for repository in ("octo", "octo/infra/x", "/infra", "octo/", "octo/..", "../x", "octo/a b", "octo/a?x"):
        with pytest.raises(UsageError, match="is no repository"):
            opened("github", repository=repository)
    with pytest.raises(UsageError, match="is no project"):
        opened("gitlab", repository="/")


async def test_a_path_cannot_leave_its_repository(opened, hosts: CodeHosts, clock) -> None:
    """What has a meaning in a URL is escaped."""
    with pytest.raises(NotFound):
        await post(opened("gitlab", repository="../../user?x=#"), clock)
    assert hosts.sent() == ["GET /gitlab/api/v4/projects/../../user?x=#/merge_requests/7/notes"]
