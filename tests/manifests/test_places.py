"""Places: found again from the lines of a document, they are where they were when it was read."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from rsspot.manifests.places import Places, lines_of
from rsspot.manifests.source import parse_text
from rsspot.utils.yaml_scalars import Loader

TEXTS = {
    "block": "a: 1\nb:\n  c: [1, {d: 2}]\n  e:\n  - f\n  - g: h\n",
    "two documents": "---\na: {b: 1}\n---\nc:\n- d\n...\n---\ne: f\n",
    "beside its marker": "--- {a: {b: [1, 2]}}\n--- # a comment\nc: d\n--- &root\ne: f\n",
    "properties": "---\n&all\na: &b {c: 1}\nd: *b\n<<: {e: 2}\n",
    "indented": "\n\n   a:\n     b: 1\n   c: 2\n---\n  - d\n  - e: f\n",
    "scalars over lines": 'a: |\n  x\n\n  y: z\nb: >-\n  one\n  two\nc: "one\n  two"\nd: e\n---\n"f": g\n',
    "wide characters": "🙂é: {ü: [日本, x]}\nlast: {a🙂: b}\n---\n{é: {ü🙂: x}, y: z}\n",
    "other line ends": "a: 1\r\nb: 2\r\n---\r\nc: [1,\r\n 2]\r\n",
    "old mac": "a: 1\rb: {c: 2}\r---\rd: 3\r",
    "separators": "a: 'x\u2028y'\nb: 'z\u0085w'\nc: {d: 1}\n---\ne: 1\n",
    "json": '{"a": {"b": [1,\n {"c": 2}]}}',
    "directives": "%TAG ! tag:yaml.org,2002:\n---\na: !int 1\nb: {c: !str d}\n",
    "comments": "# one\n---\n# two\na: b # three\n# four\nc: d\n---\n# five\ne: f\n",
    "empty": "---\n---\na: 1\n---\n",
    "merged": "a: &x {k: 1, l: {m: 2}}\nb: {<<: *x, n: 3}\nc: {<<: [*x, {o: 4}]}\n",
}


def roots(text: str) -> list[yaml.Node]:
    """The root of each document."""
    loader, found = Loader(text), []
    while loader.check_node():
        found.append(loader.get_node())
    loader.dispose()
    return found


def check(text: str) -> int:
    """How many places were compared."""
    lines = lines_of(text)
    compared = 0
    for node in roots(text):
        # Kept whole, nodes have the places that the parser gave them.
        kept, found = Places("f", node, node), Places.of("f", lines, node)
        assert dict(found) == dict(kept)
        compared += len(kept)
    return compared


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_places_found_again_are_those_of_the_parser(text: str) -> None:
    assert check(text) > 0


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_value_has_a_place(text: str) -> None:
    sources, problems = parse_text(text, "f")
    assert problems == []
    for source in sources:
        for path in source.marks:
            assert source.origin(path).line >= 1


def test_items_of_a_list_are_where_they_are_written() -> None:
    text = "kind: SecretList\nitems:\n- metadata: {name: a}\n  spec: {b: 1}\n- spec:\n    b: &c [1]\n    d: *c\n"
    first, second = parse_text(text, "f")[0]
    assert [first.origin(("spec", "b")).line, first.origin(("metadata", "name")).column] == [4, 14]
    assert [second.origin(("spec", "d")).line, second.origin(("spec", "d")).column] == [7, 5]


WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N", "S")), min_size=1, max_size=6)
VALUES = st.recursive(
    WORDS | st.integers(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3)
)


@pytest.mark.hypothesis
@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.dictionaries(WORDS, VALUES, min_size=1, max_size=4), min_size=1, max_size=3),
    st.sampled_from([None, True, False]),
)
def test_documents_of_any_content(documents: list[dict[str, object]], flow: bool | None) -> None:
    check(yaml.safe_dump_all(documents, default_flow_style=flow, allow_unicode=True, width=20, explicit_start=True))
