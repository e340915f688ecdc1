"""Writes what is derived from the code: the table in docs/configuration.md, the JSON Schema of saved plans and the
commands that shell completion knows.

Run by `make reference`.
"""

from __future__ import annotations

import json
from pathlib import Path

from rsspot.cli.completion_table import source
from rsspot.config.reference import markdown
from rsspot.planner.codec import schema

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "configuration.md"
SCHEMA = ROOT / "src" / "rsspot" / "planner" / "plan.schema.json"
COMPLETION = ROOT / "src" / "rsspot" / "cli" / "completion_words.py"
BEGIN, END = "<!-- settings: begin -->\n", "<!-- settings: end -->\n"


def written(page: str) -> str:
    """The page with the current table."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{markdown()}{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    SCHEMA.write_text(json.dumps(schema(), indent=2) + "\n", encoding="utf-8")
    COMPLETION.write_text(source(), encoding="utf-8")
