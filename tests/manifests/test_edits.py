"""Another price in a manifest: not a byte besides is changed, and what others share is left to its author."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsspot.manifests.edits import PriceEdit, with_price
from rsspot.manifests.manifest import Manifest
from rsspot.manifests.parse import load

PATH = ("spec", "bidPrice")
POOL = """# Workers.  Trailing blanks stay:   \t
apiVersion: ngpc.rxt.io/v1
kind: SpotNodePool
metadata: { name:   workers }   # ours
spec:
    cloudSpace: 'edge'

    bidPrice: PRICE   # at most this
    serverClass: "gp.vs1.large-dfw"
    customAnnotations: {team: "größe", note: 'bidPrice: 0.03'}
    desired: 2
"""


def edited(text: str, folder: Path, price: str = "0.08", variables: dict[str, str] | None = None) -> str:
    """The text of a file after the price of every pool in it was changed."""
    file = folder / "pools.yaml"
    file.write_bytes(text.encode())
    manifests = load([file], environ={}, variables=variables or {}).manifests
    for manifest in sorted(manifests, key=_place, reverse=True):
        text = with_price(text, PriceEdit(manifest, PATH, Decimal(price)))
    return text


def _place(manifest: Manifest) -> tuple[int, int]:
    where = manifest.where(*PATH)
    assert where
    return where.line, where.column


@pytest.mark.parametrize("written", ["0.03", '"0.03"', "'0.03'", "$0.030", ".03", "3e-2", "0.03000"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_only_the_price_changes(written: str, newline: str, tmp_path: Path) -> None:
    """Quotes, comments, blanks and line ends stay; its own spelling is that of the wire."""
    text = POOL.replace("\n", newline)
    quote = written[:1] if written[:1] in "\"'" else ""
    wanted = text.replace("PRICE", f"{quote}0.08{quote}")
    assert edited(text.replace("PRICE", written), tmp_path).encode() == wanted.encode()


def test_each_pool_of_a_file_gets_its_own(tmp_path: Path) -> None:
    """Documents, and items of a list; also where all of them are in one line."""
    second = POOL.replace("workers", "batch")
    text = f"{POOL}---\n{second}...\n"
    assert edited(text.replace("PRICE", "0.03"), tmp_path) == text.replace("PRICE", "0.08")
    items = ", ".join(
        f'{{"apiVersion": "ngpc.rxt.io/v1", "kind": "SpotNodePool", "metadata": {{"name": "{name}"}}, "spec": '
        '{"cloudSpace": "edge", "serverClass": "gp.small", "desired": 1, "bidPrice": "PRICE"}}'
        for name in ("a", "b")
    )
    text = f'{{"apiVersion": "v1", "kind": "List", "items": [{items}]}}'
    assert edited(text.replace("PRICE", "0.03"), tmp_path, "0.1") == text.replace("PRICE", "0.1")


def test_a_byte_order_mark_stays(tmp_path: Path) -> None:
    """As some editors write it."""
    text = "\ufeff" + POOL
    assert edited(text.replace("PRICE", "0.03"), tmp_path) == text.replace("PRICE", "0.08")


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("${var:bid}", "it comes from a variable"),
        ("'${var:bid}'", "it comes from a variable"),
        ("&bid 0.03", "it has an anchor or a tag"),
        ("!!str 0.03", "it has an anchor or a tag"),
        ("|-\n      0.03\n    #", "it is not written as a plain number"),
        ('"\\x30.03"', "it is not written as a plain number"),
    ],
)
def test_what_others_may_share_is_left_to_its_author(written: str, why: str, tmp_path: Path) -> None:
    """With the reason."""
    with pytest.raises(ValueError, match=why):
        edited(POOL.replace("PRICE", written), tmp_path, variables={"bid": "0.03"})


def test_an_alias_is_left_to_its_author(tmp_path: Path) -> None:
    """And so is what a merge brings in."""
    text = POOL.replace("desired: 2", "desired: 2\n    customLabels: {bid: &bid '0.03'}")
    other = POOL.replace("workers", "batch").replace("PRICE", "0.03")
    aliased = text.replace("    bidPrice: PRICE   # at most this\n", "") + "    bidPrice: *bid\n"
    with pytest.raises(ValueError, match="it comes from an anchor"):
        edited(f"{aliased}---\n{other}", tmp_path)
    merged = POOL.replace("    bidPrice: PRICE   # at most this\n", "    <<: {bidPrice: 0.03}\n")
    with pytest.raises(ValueError, match="not written in this manifest"):
        edited(merged, tmp_path)


def test_a_file_of_something_else_is_not_edited(tmp_path: Path) -> None:
    """The manifest is looked for by its kind, its name and its place."""
    (tmp_path / "pools.yaml").write_text(POOL.replace("PRICE", "0.03"))
    (manifest,) = load([tmp_path / "pools.yaml"], environ={}).manifests
    edit = PriceEdit(manifest, PATH, Decimal("0.08"))
    others = (
        POOL.replace("workers", "others").replace("PRICE", "0.03"),
        "\n" + POOL.replace("PRICE", "0.03"),
        POOL.replace("SpotNodePool", "Overlay").replace("PRICE", "0.03"),
        "",
        "[" * 5000,
        "a: b: c",
    )
    for text in others:
        with pytest.raises(ValueError, match=r"not written in this manifest|cannot be edited"):
            with_price(text, edit)


def fillers() -> st.SearchStrategy[str]:
    """Comments and blank lines."""
    return st.lists(st.sampled_from(["", "  ", "# bidPrice: 0.03", "# ünïcödé"]), max_size=3).map("\n".join)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_stands_around_it_stays(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """And the price reads back as it was meant."""
    lines = ["cloudSpace: edge", "serverClass: gp.small", "desired: 1", "bidPrice: PRICE"]
    body = "".join(f"  {line}\n{data.draw(fillers())}\n" for line in data.draw(st.permutations(lines)))
    text = f"apiVersion: ngpc.rxt.io/v1\nkind: SpotNodePool\nmetadata: {{name: a}}\nspec:\n{body}"
    folder = tmp_path_factory.mktemp("manifests")
    changed = edited(text.replace("PRICE", "0.03"), folder, "0.13")
    assert changed == text.replace("PRICE", "0.13")
    assert list(_prices(changed, folder)) == [Decimal("0.13")]


def _prices(text: str, folder: Path) -> Iterator[Decimal]:
    (folder / "again.yaml").write_text(text)
    yield from (manifest.spec["bidPrice"] for manifest in load([folder / "again.yaml"], environ={}).manifests)
