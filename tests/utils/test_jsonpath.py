"""JSONPath templates print what kubectl prints for them, as recorded: `RSSPOT_RECORD=1` asks kubectl again."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from rsspot.utils.jsonpath import parse
from rsspot.utils.jsonpath_steps import JSONPathError
from support.recorded import RECORDING, same_as_recorded

FOLDER = Path(__file__).parent / "recorded"
OBJECT = FOLDER / "jsonpath_object.json"
TABLE = FOLDER / "jsonpath_by_kubectl.json"
TEMPLATES = r"""
.metadata.name
text only, with a } brace
{.metadata.name}
{.metadata.name}}
{$.metadata.name}
{ .metadata.name }
{.}
{}
{@}
{.metadata}
{.spec.count} {.spec.ratio} {.spec.debt} {.spec.flag} {.spec.none} {.spec.html} {.spec.text}
{.spec.items[0]}
{.spec.items}
{.spec.empty}
{.spec.nothing.at.all}
{.items[*].metadata.name}
{.spec.items[*].name}
{.spec.items[*].p.q}
{.spec.items.name}
{.spec.items[0].name}
{.spec.items[-1].name}
{.spec.items[-1:].name}
{.spec.items[-2].name}
{.spec.items[0:2].name}
{.spec.items[:2].name}
{.spec.items[1:].name}
{.spec.items[::2].name}
{.spec.items[0:-1].name}
{.spec.items[].name}
{.spec.items[0:0].name}
{.spec.items[0,2].name}
{.spec.items[0, 2].name}
{.spec.items[0]['name','x']}
{.spec.items[0]["name","x"]}
{.spec.empty[*]}
{.spec.empty[0]}
{.spec.items[7].name}
{.spec.items[-5].name}
{.spec.items[2:1].name}
{.spec.items[0:9].name}
{.spec.items[0:2:0].name}
{.spec.items[a].name}
{.spec.items[-].name}
{.spec.items[ 0 ].name}
{.spec.count[0]}
{.spec[*]}
{.spec.none[0]}
{.spec.items[0].*}
{.spec.items[0].p.*}
{..q}
{..name}
{.spec..tags}
{.spec.items..q}
{....name}
{..tags[0]}
{.metadata.labels.app\.kubernetes\.io/name}
{.metadata.labels['app\.kubernetes\.io/name']}
{.metadata.labels['app.kubernetes.io/name']}
{.metadata['name']}
{['metadata']['name']}
{.spec.items[?(@.x>1)].name}
{.spec.items[?(@.x>=2)].name}
{.spec.items[?(@.x<2)].name}
{.spec.items[?(@.x<=2)].name}
{.spec.items[?(@.x==2)].name}
{.spec.items[?(@.x!=2)].name}
{.spec.items[?(@.x=2)].name}
{.spec.items[?(@.x=="1")].name}
{.spec.items[?(@.name=="a")].tags[*]}
{.spec.items[?(@.name=='c d')].x}
{.spec.items[?( @.name == "a" )].x}
{.spec.items[?(@.note=="(n)")].name}
{.spec.items[?(@.name<"b")].name}
{.spec.items[?(@.ready==true)].name}
{.spec.items[?(@.ready<true)].name}
{.spec.items[?(@.tags)].name}
{.spec.items[?(@.p.q=="deep")].name}
{.spec.items[?(@.nothing=="a")].name}
{.spec.items[?(@.nothing)].name}
{.spec.items[?(@.tags[*]=="t1")].name}
{.spec.items[?(1==1)].name}
{.spec.items[?(@.name=="a")
{.spec.items[?(@.name=="a"]}
{.metadata[?(@.name=="t")]}
{range .spec.items[*]}{.name}{"\n"}{end}
{range .spec.items[*]}{.name}{"\t"}{.x}{"\n"}{end}done
{range .spec.items[?(@.x>1)]}[{.name}]{end}
{range .spec.items[*]}[{range .tags[*]}{@}{","}{end}]{end}!
{range .spec.nothing[*]}{.x}{end}after {.spec.count}
{range .spec.empty[*]}{.x}{end}after
{range .spec.items[*]}{.name}
{range}{.metadata.name}{end}
{end}
{range .spec.items[*]}{end}{end}
{"a\tb\n"}{'c'}{"q\"q"}{"\u00e9"}{"a\\b"}
{"unterminated}
{"a" }{ "b"}
{3}{-1}{1.5}{true}{false}
{1.2.3}
{-}
{foo}
{
{.spec
{.spec.items[0
{ .spec.count , }
{.spec.count}{" and "}{.spec.ratio}
a\nb
é{.spec.text}
""".strip("\n").split("\n")


def by_kubectl(template: str) -> str | None:
    """What kubectl prints for the object; None where it refuses the template."""
    command = ["kubectl", "patch", "--local", "-f", str(OBJECT), "--type=merge", "-p", "{}", "-o"]
    ended = subprocess.run([*command, f"jsonpath={template}"], capture_output=True, text=True, check=False, timeout=60)
    return ended.stdout if ended.returncode == 0 else None


@pytest.fixture(scope="module")
def recorded() -> dict[str, str | None]:
    """What kubectl prints for each template."""
    if RECORDING:
        answers = {template: by_kubectl(template) for template in TEMPLATES}
        same_as_recorded(TABLE, json.dumps(answers, indent=2, ensure_ascii=False) + "\n")
    table: dict[str, str | None] = json.loads(TABLE.read_text(encoding="utf-8"))
    return table


def rendered(template: str) -> str | None:
    try:
        return parse(template).render(json.loads(OBJECT.read_text(encoding="utf-8")))
    except JSONPathError:
        return None


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_prints_what_kubectl_prints(template: str, recorded: dict[str, str | None]) -> None:
    """Where kubectl refuses a template, so do we. It walks through maps in no order, and we in theirs."""
    printed, expected = rendered(template), recorded[template]
    if (".*" in template or ".." in template) and expected is not None:
        assert printed is not None
        assert sorted(printed.split()) == sorted(expected.split())
    else:
        assert printed == expected


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{.spec", "unclosed action"),
        ("{.a[x]}", "invalid array index x"),
        ("{~}", "unrecognized character"),
        ("{end}", "nothing to end"),
        ('{"\\q"}', "invalid escape"),
        ("{word}", "unrecognized identifier word"),
    ],
)
def test_a_template_that_cannot_be_read_is_explained(template: str, message: str) -> None:
    with pytest.raises(JSONPathError, match=message):
        parse(template)


VALUES: list[Any] = [None, [], {}, 1, "text", [[]], {"items": None}, {"items": [{"a": [1, {"b": None}]}]}]


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_fits_any_value_or_says_why_not(template: str) -> None:
    """No other error comes out of it."""
    for value in VALUES:
        try:
            text = parse(template).render(value)
        except JSONPathError as error:
            assert str(error)
        else:
            assert isinstance(text, str)
