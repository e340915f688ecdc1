"""What the service would refuse is a problem before anything is sent, and what it has accepted can always be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rsspot.errors import ManifestError
from rsspot.manifests.parse import load
from rsspot.models.money import parse_price

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA7cpFqXSm1nXqFvUoKPBRHdJVWEJ+RbM0AEEI5vs0PT me@example.com"
SPECS: dict[str, dict[str, Any]] = {
    "CloudSpace": {"region": "dfw", "kubernetesVersion": "1.33.0"},
    "SpotNodePool": {"cloudSpace": "edge", "serverClass": "c", "desired": 1, "bidPrice": "0.03"},
    "AutopilotNodePool": {"cloudSpace": "edge", "region": "dfw", "vcpu": {"total": 8}, "budgetPerHour": "1"},
    "VMPool": {"vmCloudSpace": "vms", "serverClass": "c", "desired": 1, "bidPrice": "0.03"},
    "VMSSHKey": {"publicKey": KEY},
}


def read(folder: Path, kind: str, metadata: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """The spec of a manifest with these fields."""
    document = {"apiVersion": "ngpc.rxt.io/v1", "kind": kind, "metadata": {"name": "edge", **(metadata or {})}}
    (folder / "a.json").write_text(json.dumps({**document, "spec": {**SPECS[kind], **spec}}))
    return load([folder / "a.json"], environ={}).manifests[0].spec


@pytest.mark.parametrize("kind", SPECS)
def test_ordinary_manifests_are_fine(tmp_path: Path, kind: str) -> None:
    """Of every kind."""
    assert read(tmp_path, kind)


@pytest.mark.parametrize("value", [True, "1_0", "0x2", "２", "1.5", 1.5, "", " 2", [2], "9" * 30])
def test_a_whole_number_is_written_in_digits(tmp_path: Path, value: Any) -> None:
    """Pydantic would also take true, underscores and digits of other scripts."""
    with pytest.raises(ManifestError, match="must be a whole number"):
        read(tmp_path, "SpotNodePool", desired=value)


@pytest.mark.parametrize(("value", "number"), [(2, 2), ("2", 2), (2.0, 2), ("+2", 2)])
def test_whole_numbers_have_several_spellings(tmp_path: Path, value: Any, number: int) -> None:
    """Variables are text."""
    assert read(tmp_path, "SpotNodePool", desired=value)["desired"] == number


@pytest.mark.parametrize("value", ["yes", "on", 1, 0, "1", "t", "True", "", []])
def test_a_switch_is_true_or_false(tmp_path: Path, value: Any) -> None:
    """And nothing that other languages take for it."""
    with pytest.raises(ManifestError, match="must be true or false"):
        read(tmp_path, "CloudSpace", gpuEnabled=value)


@pytest.mark.parametrize(
    "value", ["0_42", "０.42", "1e-999999999", "1e999999999", "nan", "inf", "0x1", "1,5", "$", "- 1"]
)
def test_a_price_is_written_in_digits(tmp_path: Path, value: Any) -> None:
    """Some of these fill the memory with one number."""
    with pytest.raises(ManifestError, match="must be a number such as"):
        read(tmp_path, "SpotNodePool", bidPrice=value)
    with pytest.raises(ValueError, match="must be"):
        parse_price(value)


LABELS = [
    ({"my label": "x"}, "'my label' is not a key"),
    ({"": "x"}, "'' is not a key"),
    ({"a" * 64: "x"}, "is not a key"),
    ({"Example.com/a": "x"}, "must be a domain"),
    ({"-a": "x"}, "is not a key"),
    ({"a/b/c": "x"}, "must be a domain"),
    ({"team": "R and D"}, "is not a value"),
    ({"team": "x" * 64}, "is not a value"),
]


@pytest.mark.parametrize(("labels", "message"), LABELS)
def test_labels_have_the_syntax_of_kubernetes(tmp_path: Path, labels: dict[str, str], message: str) -> None:
    """On objects and on nodes."""
    with pytest.raises(ManifestError, match=message):
        read(tmp_path, "SpotNodePool", customLabels=labels)
    with pytest.raises(ManifestError, match=message):
        read(tmp_path, "CloudSpace", {"labels": labels})


@pytest.mark.parametrize("key", ["node-role.kubernetes.io/worker", "kubernetes.io/role", "k8s.io/x", "app.k8s.io/name"])
def test_domains_of_kubernetes_are_reserved_on_nodes(tmp_path: Path, key: str) -> None:
    """A kubelet could not set them."""
    with pytest.raises(ManifestError, match="is reserved for Kubernetes"):
        read(tmp_path, "SpotNodePool", customLabels={key: "x"})
    with pytest.raises(ManifestError, match="is reserved for Kubernetes"):
        read(tmp_path, "SpotNodePool", customTaints=[{"key": key, "effect": "NoSchedule"}])
    assert read(tmp_path, "CloudSpace", {"labels": {key: "x"}})


@pytest.mark.parametrize(
    "key", ["node.kubernetes.io/pool", "kubelet.kubernetes.io/x", "topology.kubernetes.io/zone", "a.b/c"]
)
def test_some_domains_are_not(tmp_path: Path, key: str) -> None:
    """A kubelet may set these on its node."""
    assert read(tmp_path, "SpotNodePool", customLabels={key: ""})


@pytest.mark.parametrize(
    "taints",
    [
        [{"key": "bad key", "effect": "NoSchedule"}],
        [{"key": "a", "effect": "Never"}],
        [{"key": "a", "value": "b c", "effect": "NoSchedule"}],
        [{"key": "a", "effect": "NoSchedule"}, {"key": "a", "value": "x", "effect": "NoSchedule"}],
    ],
)
def test_taints_have_the_syntax_of_kubernetes(tmp_path: Path, taints: list[dict[str, str]]) -> None:
    """And each key has one taint for an effect."""
    for kind in ("SpotNodePool", "AutopilotNodePool"):
        with pytest.raises(ManifestError):
            read(tmp_path, kind, customTaints=taints)


def test_one_key_may_have_taints_of_several_effects(tmp_path: Path) -> None:
    """As in Kubernetes."""
    taints = [{"key": "a", "effect": "NoSchedule"}, {"key": "a", "effect": "NoExecute"}]
    assert len(read(tmp_path, "SpotNodePool", customTaints=taints)["customTaints"]) == 2


@pytest.mark.parametrize("data", ["#!/bin/bash\napt-get update\n", "a", "=", "é"])
def test_user_data_is_base64(tmp_path: Path, data: str) -> None:
    """And is not quoted."""
    with pytest.raises(ManifestError, match=r"vmUserData: must be base64") as caught:
        read(tmp_path, "VMPool", vmUserData=data)
    assert "apt-get" not in str(caught.value)
    assert read(tmp_path, "VMPool", vmUserData="IyEvYmlu\nL2Jhc2gK\n")


@pytest.mark.parametrize("key", [KEY, f"{KEY}\n", f"  {KEY}  ", KEY.rpartition(" ")[0]])
def test_a_public_key_may_have_blanks_around_it(tmp_path: Path, key: str) -> None:
    """And needs no comment."""
    assert read(tmp_path, "VMSSHKey", publicKey=key)


def test_every_mistake_of_lifecycle_annotations_is_told(tmp_path: Path) -> None:
    """Also several in one list."""
    wrong = {
        "rsspot.dev/on-remove": "keep",
        "rsspot.dev/replace": "never",
        "rsspot.dev/ignore": ["spec.nothing", "gpuEnabled", "regoin"],
        "rsspot.dev/previous-name": "edge",
        "rsspot.dev/depends-on": [1],
        "rsspot.dev/protect": "yes",
    }
    with pytest.raises(ManifestError) as error:
        read(tmp_path, "CloudSpace", {"annotations": wrong})
    said = [problem.message for problem in error.value.problems]
    assert len(said) == 7
    assert [each for each in said if "nothing" in each or "regoin" in each]


def test_annotations_have_a_size(tmp_path: Path) -> None:
    """All of an object's together."""
    with pytest.raises(ManifestError, match="bytes of annotations"):
        read(tmp_path, "CloudSpace", {"annotations": {"a": "x" * 200_000, "b": "x" * 100_000}})
