"""One post that is found again by its first line and kept up to date. Knows no host and no plans."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rsspot.errors import OutcomeUnknown
from rsspot.review.protocol import Post, Posts
from rsspot.utils.clock import Clock

MARKER = re.compile(r"<!-- rsspot:[a-z]+:[a-z0-9.%-]+ -->")
TRIES = 3
PAUSE = 5.0
"""Seconds before a create is looked for whose answer was lost."""


@dataclass(frozen=True)
class Posted:
    """What was done: created, updated, closed, or unchanged for a post that says the same already."""

    action: str
    post: Post


def marker_of(text: str) -> str | None:
    """The marker in the first line of a text; None if it has none."""
    line = text.lstrip("\ufeff \t\r\n").partition("\n")[0].strip()
    return line if MARKER.fullmatch(line) else None


async def last_post(posts: Posts, marker: str) -> Post | None:
    """Our newest post with a marker; None if there is none."""
    found = [post for post in await posts.ours() if marker_of(post.body) == marker]
    return found[-1] if found else None


async def put(posts: Posts, last: Post | None, text: str, clock: Clock, *, closed: bool = False) -> Posted:
    """Let the last post say a text, or add one. closed: whether nothing is left to do about it"""
    if last is None:
        return Posted("created", await _created(posts, text, clock))
    if _plain(last.body) == _plain(text) and not closed:
        return Posted("unchanged", last)
    return Posted("closed" if closed else "updated", await posts.update(last, text, closed=closed))


async def _created(posts: Posts, text: str, clock: Clock) -> Post:
    """A new post. If the answer was lost, it is looked for before it is sent again, so that there are never two."""
    for attempt in range(1, TRIES + 1):
        try:
            return await posts.create(text)
        except OutcomeUnknown:
            await clock.sleep(PAUSE * attempt)
            found = [post for post in await posts.ours() if _plain(post.body) == _plain(text)]
            if found:
                return found[-1]
            if attempt == TRIES:
                raise
    raise AssertionError("unreachable")


def _plain(text: str) -> str:
    """A text without what hosts change of it: line ends, and white space around it."""
    return text.replace("\r\n", "\n").strip()
