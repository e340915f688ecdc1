"""Texts of others inside markdown: shown as they are, whatever they hold. Knows nothing of plans.

Inside code, GitHub and GitLab make no links, mentions and references, and obey neither HTML nor markdown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from rsspot.utils.text import printable

_UNSAFE_IN_MARKER = re.compile(r"[^a-z0-9.-]|-(?=-)")
MOST_BACKTICKS = 8
"""Longer runs are cut: the fence has to be longer still."""
_MANY_BACKTICKS = re.compile(f"`{{{MOST_BACKTICKS + 2},}}")
_BACKTICKS = re.compile(r"`+")
_PUNCTUATION = re.compile(r"[!-,.:-@\[-`{-~]")


def code(text: str) -> str:
    """A text as code on one line, also inside a table."""
    text = printable(text)
    if text and text == text.strip() and not ("`" in text or "|" in text):
        return f"`{text}`"
    # A code span cannot hold these in a table; as entities they are text wherever they stand.
    return f"<code>{_PUNCTUATION.sub(lambda found: f'&#{ord(found[0])};', text)}</code>"


def fence(lines: Iterable[str], language: str = "") -> str:
    """Lines as a block of code, which nothing in them can end."""
    text = _MANY_BACKTICKS.sub(lambda found: found[0][:MOST_BACKTICKS] + "…", "\n".join(map(printable, lines)))
    longest = max(map(len, _BACKTICKS.findall(text)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{language}\n{text}\n{ticks}"


def folded(title: str, content: str) -> str:
    """Content that is shown when somebody opens it. title: plain words, without any of others"""
    return f"<details><summary>{title}</summary>\n\n{content}\n\n</details>"


def marker(stack: str, about: str = "plan") -> str:
    """A comment that is not shown, by which the comment about a stack is found again. about: plan or drift"""
    name = _UNSAFE_IN_MARKER.sub(lambda found: f"%{ord(found[0]):02x}", stack)
    return f"<!-- rsspot:{about}:{name} -->"
