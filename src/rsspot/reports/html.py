"""A plan as one HTML file that needs nothing else: no network, no other file, and no script but its own."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from html import escape
from importlib.resources import files

from rsspot.planner.masking import masked_plan
from rsspot.planner.plan import DRIFT, Plan
from rsspot.reports.graph import graph_of_plan
from rsspot.reports.graph_svg import graph_caption, graph_picture
from rsspot.reports.html_changes import changes_json
from rsspot.reports.html_money import money_section, price_section
from rsspot.reports.policies import OUTCOMES, outcome, policy_tally, told
from rsspot.reports.problems import in_saved_order
from rsspot.reports.programs import program_calls, program_files
from rsspot.reports.protocol import Detail
from rsspot.reports.svg import stylesheet
from rsspot.reports.tally import by_kind, headline
from rsspot.reports.text import heading
from rsspot.reports.wording import title_of
from rsspot.utils.text import printable


class HtmlReport:
    """The page. Its changes are listed by its script, a part at a time, so that thousands of them are no burden."""

    def __init__(self, *, color: bool = False) -> None:
        self.verbose = False
        self.detail = Detail.FULL

    def plan(self, plan: Plan) -> str:
        plan = masked_plan(plan)
        style = f"{_part('plan.css')}{stylesheet()}"
        script = _part("plan.js")
        title = _text(f"{title_of(plan)} {plan.stack}")
        return "\n".join(
            (
                '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
                f'<meta http-equiv="Content-Security-Policy" content="{_policy(style, script)}">',
                '<meta name="viewport" content="width=device-width, initial-scale=1">',
                '<meta name="referrer" content="no-referrer">\n<link rel="icon" href="data:,">',
                f"<title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n<main>",
                *_head(plan),
                *_refusals(plan),
                *_policies(plan),
                *_programs(plan),
                *money_section(plan),
                *_changes(plan),
                *_graph(plan),
                *price_section(plan),
                *_notes(plan),
                "</main>",
                f'<script type="application/json" id="changes-data">{changes_json(plan)}</script>',
                f"<script>{script}</script>\n</body>\n</html>",
            )
        )


def _part(name: str) -> str:
    return files("rsspot.reports").joinpath("page", name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Nothing may be loaded, and nothing may run or style the page but what this file came with."""
    return (
        f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _text(content: str) -> str:
    return escape(printable(content))


def _block(lines: list[str]) -> str:
    return f"<pre>{chr(10).join(map(_text, lines))}</pre>"


def _head(plan: Plan) -> Iterator[str]:
    yield f'<h1>{title_of(plan)} <span class="address">{_text(plan.stack)}</span></h1>'
    yield f'<p class="soft">{_text(heading(plan))}</p>'
    yield f'<p class="headline">{_text(headline(plan))}</p>'
    counted = list(by_kind(plan))
    if counted:
        yield '<ul class="counts">'
        for action, objects in reversed(counted):
            yield f'<li><span class="action {action}">to {action}</span>: {_text(objects)}</li>'
        yield "</ul>"


def _refusals(plan: Plan) -> Iterator[str]:
    if plan.refusals:
        yield f'<section class="refused"><h2>Refused: {len(plan.refusals)}</h2>'
        for each in in_saved_order(plan.refusals):
            yield _block([str(each), *([f"  {each.hint}"] if each.hint else [])])
        yield "</section>"


def _policies(plan: Plan) -> Iterator[str]:
    if not plan.policies:
        return
    yield f'<section class="policies"><h2>Policies</h2><p class="soft">{_text(policy_tally(plan))}</p><table>'
    heads = "".join(f'<th scope="col">{title}</th>' for title in ("Policy", "Result", "What it says"))
    yield f"<thead><tr>{heads}</tr></thead>"
    yield "<tbody>"
    for each in plan.policies:
        policy, lines = each.policy, told(each)
        where = f'<p class="soft address">{_text(str(policy.origin))}</p>' if policy.origin else ""
        yield f'<tr><th scope="row"><span class="address">{_text(policy.name)}</span>{where}</th>'
        yield f'<td class="{outcome(each)}"><span class="outcome">{OUTCOMES[outcome(each)]}</span></td>'
        yield f"<td>{_text(policy.message)}{_block(lines) if lines else ''}</td></tr>"
    yield "</tbody></table></section>"


def _programs(plan: Plan) -> Iterator[str]:
    lines = [f"{path}  {digest}" for path, digest in program_files(plan)]
    lines += [f"{each.argv}  for {each.users}" for each in program_calls(plan.changes)]
    if lines:
        yield f"<section><h2>Runs on the machine that applies</h2>{_block(lines)}</section>"


def _changes(plan: Plan) -> Iterator[str]:
    yield f"<section><h2>{'Drift, and what is not applied yet' if plan.command == DRIFT else 'Changes'}</h2>"
    yield (
        '<div class="tools"><label for="search">Search</label>'
        '<input id="search" type="search" autocomplete="off" spellcheck="false" aria-describedby="keys">'
        '<span id="keys" class="soft"><kbd>/</kbd> to search, <kbd>Esc</kbd> to clear</span>'
        '<span id="found" role="status" aria-live="polite"></span></div>'
    )
    yield '<div id="changes"></div>\n<button id="more" type="button" hidden>Show more</button>'
    count = len(plan.changes) + len(plan.drifted)
    yield f"<noscript><p>The {count} changes are listed by a script, which this browser does not run.</p></noscript>"
    yield "</section>"


def _graph(plan: Plan) -> Iterator[str]:
    if plan.changes:
        graph = graph_of_plan(plan)
        yield f'<section><h2>What depends on what</h2><p class="soft">{_text(graph_caption(graph))}</p>'
        yield '<div class="graph" tabindex="0" role="group" aria-label="Dependency graph">'
        yield f"{graph_picture(graph)}</div></section>"


def _notes(plan: Plan) -> Iterator[str]:
    lines = [f"Note: {note}" for note in sorted(plan.notes)]
    lines += [f"Not ready yet: {each.address}: {each.note}" for each in plan.pending]
    lines += [f"Left alone: {each.address}: of this stack, in no manifest" for each in plan.undeclared]
    if lines:
        yield f"<section><h2>Notes</h2>{_block(lines)}</section>"
