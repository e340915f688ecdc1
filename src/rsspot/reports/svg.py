"""Writes SVG: elements with their attributes escaped. Draws nothing by itself."""

from __future__ import annotations

from importlib.resources import files
from xml.sax.saxutils import escape, quoteattr

from rsspot.utils.text import printable

XMLNS = "http://www.w3.org/2000/svg"
"""The name of the format, which nobody fetches."""


def element(tag: str, *inside: str, **attributes: object) -> str:
    """An element. inside: what is in it, as markup · attributes: `class_` and `stroke_width` stand for what XML has"""
    written = "".join(f" {_name(key)}={_value(value)}" for key, value in attributes.items())
    return f"<{tag}{written}>{''.join(inside)}</{tag}>" if inside else f"<{tag}{written}/>"


def text(content: str) -> str:
    """A text as markup."""
    return escape(printable(content))


def picture(label: str, width: float, height: float, *inside: str) -> str:
    """A whole picture, to stand in a page whose style sheet has `stylesheet()`. label: what it shows, in words"""
    title, size = element("title", text(label)), {"width": width, "height": height}
    box = f"0 0 {number(width)} {number(height)}"
    return element("svg", title, *inside, viewBox=box, **size, role="img", class_="drawing")


def standalone(drawn: str) -> str:
    """A picture as a file of its own."""
    style = element("style", escape(stylesheet()))
    paper = element("rect", class_="paper", width="100%", height="100%")
    return drawn.replace("<svg", f'<svg xmlns="{XMLNS}"', 1).replace("</title>", f"</title>{style}{paper}", 1)


def stylesheet() -> str:
    """How drawings look, in light and in dark."""
    return files("rsspot.reports").joinpath("page", "drawing.css").read_text(encoding="utf-8")


def number(value: float) -> str:
    """A coordinate, to a hundredth."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-") if key != "viewBox" else key


def _value(value: object) -> str:
    return quoteattr(number(value) if isinstance(value, float) else printable(str(value)))
