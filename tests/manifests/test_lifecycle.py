"""Lifecycle annotations: what is read from them, what is sent, and which mistakes are named with their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsspot.errors import ManifestError
from rsspot.manifests.lifecycle import Lifecycle, OnRemove, Replace
from rsspot.manifests.manifest import Manifest
from rsspot.manifests.parse import load

POOL = """apiVersion: ngpc.rxt.io/v1
kind: SpotNodePool
metadata:
  name: workers
  annotations: {%s}
spec: {cloudSpace: edge, serverClass: gp.small, desired: 1, bidPrice: 0.03}
"""
STACK = "apiVersion: rsspot.dev/v1\nkind: Stack\nmetadata: {name: demo}\nspec: {defaults: {%s}}\n---\n"


def read(folder: Path, annotations: str, defaults: str = "") -> Manifest:
    """The pool with these annotations, in a stack with these defaults."""
    file = folder / "stack.yaml"
    file.write_text((STACK % defaults if defaults else "") + POOL % annotations)
    (manifest,) = load([file], environ={}).manifests
    return manifest


def problem(folder: Path, annotations: str, defaults: str = "") -> str:
    """What is wrong with these annotations."""
    with pytest.raises(ManifestError) as caught:
        read(folder, annotations, defaults)
    (found,) = caught.value.problems
    return f"{found} {found.hint}".replace(f"{folder}/", "")


def test_all_of_them_are_read(tmp_path: Path) -> None:
    """Lists may be written as lists, or with commas as kubectl needs them."""
    written = """rsspot.dev/on-remove: protect, rsspot.dev/replace: forbid, rsspot.dev/previous-name: old,
      rsspot.dev/ignore: [desired, metadata.labels.team], rsspot.dev/depends-on: "db, cloudspace/edge", owner: me"""
    manifest = read(tmp_path, written)
    assert manifest.lifecycle == Lifecycle(
        OnRemove.PROTECT,
        Replace.FORBID,
        (("spec", "desired"), ("metadata", "labels", "team")),
        "old",
        ("db", "cloudspace/edge"),
    )
    assert manifest.body["metadata"]["annotations"] == {"rsspot.dev/on-remove": "protect", "owner": "me"}


@pytest.mark.parametrize(
    ("written", "path", "ignored"),
    [
        ("desired", "spec/desired", True),
        ("spec.desired", "spec/desired", True),
        ("autoscaling", "spec/autoscaling/maxNodes", True),
        ("autoscaling.maxNodes", "spec/autoscaling/minNodes", False),
        ("autoscaling.*", "spec/autoscaling/minNodes", True),
        ("desired", "spec/bidPrice", False),
        ("customLabels.example.com/tier", "spec/customLabels/example.com~tier", True),
        ("customLabels.example.com/*", "spec/customLabels/example.com~tier", True),
        ("customLabels.example.com/tier", "spec/customLabels/example.com~team", False),
        ("metadata.labels", "metadata/labels/anything", True),
        ("metadata.labels.team", "metadata/labels/team", True),
        ("metadata.annotations.example.com/a.b", "metadata/annotations/example.com~a.b", True),
        ("/metadata/annotations/example.com~1a.b", "metadata/annotations/example.com~a.b", True),
        ("/spec/desired", "spec/desired", True),
    ],
)
def test_what_a_path_ignores(tmp_path: Path, written: str, path: str, *, ignored: bool) -> None:
    """`~` stands for `/` in the paths of this table."""
    lifecycle = read(tmp_path, f"rsspot.dev/ignore: ['{written}']").lifecycle
    assert lifecycle.ignores(tuple(part.replace("~", "/") for part in path.split("/"))) is ignored


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (
            "rsspot.dev/on-remove: protected",
            "stack.yaml:5:17: rsspot.dev/on-remove must be 'delete', 'detach'",
        ),
        ("rsspot.dev/on-remove: [protect]", "must be 'delete', 'detach' or 'protect'"),
        ("rsspot.dev/on-remvoe: protect", "unknown annotation 'rsspot.dev/on-remvoe' did you mean 'on-remove'?"),
        ("rsspot.dev/anything: x", "unknown annotation 'rsspot.dev/anything'"),
        ("rsspot.dev/replace: true", "must be 'surge', 'recreate' or 'forbid'"),
        ("rsspot.dev/ignore: {desired: true}", "is a list of texts, or one text with commas"),
        ("rsspot.dev/ignore: [3]", "is a list of texts"),
        ("rsspot.dev/ignore: 'desired,'", "is a list of texts"),
        ("rsspot.dev/ignore: [desird]", "names 'desird', which is no field of a SpotNodePool; did you mean 'desired'?"),
        ("rsspot.dev/ignore: [spec]", "names 'spec', which is no field"),
        ("rsspot.dev/ignore: [metadata.name]", "names 'metadata.name', which is no field"),
        ("rsspot.dev/previous-name: Old", "is the name that the object had before"),
        ("rsspot.dev/previous-name: [old]", "is the name that the object had before"),
        ("rsspot.dev/depends-on: 3", "is a list of texts"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, written: str, message: str) -> None:
    """A slip in one of these would leave an object unprotected, so that none is passed over."""
    assert message in problem(tmp_path, written)


def test_a_plain_name_cannot_be_changed(tmp_path: Path) -> None:
    """A cloudspace is called by its name at the service."""
    file = tmp_path / "stack.yaml"
    file.write_text(
        "apiVersion: ngpc.rxt.io/v1\nkind: CloudSpace\n"
        "metadata: {name: edge, annotations: {rsspot.dev/previous-name: old}}\nspec: {region: dfw}\n"
    )
    with pytest.raises(ManifestError, match="is not for a CloudSpace: its name cannot be changed"):
        load([file], environ={})


def test_what_stands_for_others_has_no_life_of_its_own(tmp_path: Path) -> None:
    """A Registration is no object."""
    file = tmp_path / "stack.yaml"
    file.write_text(
        "apiVersion: rsspot.dev/v1\nkind: Registration\n"
        "metadata: {name: r, annotations: {rsspot.dev/on-remove: protect}}\n"
        "spec: {vmCloudSpace: vms, omniCluster: prod, registrar: {exec: [sh]}}\n"
    )
    with pytest.raises(ManifestError, match="is not for a Registration: it stands for other objects"):
        load([file], environ={})


def test_the_stack_speaks_for_objects_that_say_nothing(tmp_path: Path) -> None:
    """What an object says itself counts; paths to ignore are added."""
    defaults = "onRemove: protect, replace: forbid, ignore: [desired, HAControlPlane]"
    manifest = read(tmp_path, "rsspot.dev/ignore: bidPrice", defaults)
    assert manifest.lifecycle == Lifecycle(
        OnRemove.PROTECT, Replace.FORBID, (("spec", "bidPrice"), ("spec", "desired"))
    )
    assert manifest.body["metadata"]["annotations"] == {"rsspot.dev/on-remove": "protect"}
    own = read(tmp_path, "rsspot.dev/on-remove: delete, rsspot.dev/replace: surge", defaults)
    assert (own.lifecycle.on_remove, own.lifecycle.replace) == (OnRemove.DELETE, Replace.SURGE)
    assert own.body["metadata"]["annotations"] == {"rsspot.dev/on-remove": "delete"}
    lifted = read(tmp_path, "rsspot.dev/on-remove: null", defaults)
    assert lifted.body["metadata"]["annotations"] == {"rsspot.dev/on-remove": None}


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("onRemove: never", "stack.yaml:4:19: spec.defaults.onRemove: must be 'delete', 'detach' or 'protect'"),
        ("replace: never", "must be 'surge', 'recreate' or 'forbid'"),
        (
            "ignore: [desird]",
            "ignore names 'desird', which is no field of any kind did you mean 'desired'?",
        ),
        ("onremove: protect", "unknown field 'onremove'"),
    ],
)
def test_a_mistake_in_the_defaults_is_named(tmp_path: Path, written: str, message: str) -> None:
    """They protect a whole stack."""
    assert message in problem(tmp_path, "", written)
