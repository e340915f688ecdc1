"""Writes what is derived from the code: the tables in docs/configuration.md and docs/manifests.md, the JSON Schema of
saved plans and the commands that shell completion knows.

Run by `make reference`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from rsspot.cli.completion_table import source
from rsspot.config import reference as settings
from rsspot.manifests import reference as manifests
from rsspot.planner.plan_document import schema

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
KINDS = ROOT / "examples" / "kinds"
SCHEMA = ROOT / "src" / "rsspot" / "planner" / "plan.schema.json"
COMPLETION = ROOT / "src" / "rsspot" / "cli" / "completion_words.py"


def written(page: str, subject: str, text: str) -> str:
    """A page with what is generated about a subject, between its marks."""
    begin, end = f"<!-- {subject}: begin -->\n", f"<!-- {subject}: end -->\n"
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}{text}{end}{after}"


def examples() -> dict[str, Any]:
    """Kind -> a manifest with every field."""
    files = sorted(KINDS.glob("*.yaml"))
    return {file.stem: manifests.one_example(yaml.safe_load_all(file.read_text(encoding="utf-8"))) for file in files}


def write_page(name: str, subject: str, text: str) -> None:
    """Bring a page up to date."""
    page = DOCS / name
    page.write_text(written(page.read_text(encoding="utf-8"), subject, text), encoding="utf-8")


if __name__ == "__main__":
    write_page("configuration.md", "settings", settings.markdown())
    write_page("manifests.md", "fields", manifests.markdown(examples()))
    SCHEMA.write_text(json.dumps(schema(), indent=2) + "\n", encoding="utf-8")
    COMPLETION.write_text(source(), encoding="utf-8")
