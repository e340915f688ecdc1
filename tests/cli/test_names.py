"""Every command takes the names that any other prints: short, with the cloudspace, as an address, or the UUID."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rsspot.cli.app import run
from support.shell import CLOUDSPACE, POOL, write

STACK = "---\n".join([CLOUDSPACE, CLOUDSPACE.replace("name: edge", "name: west")]) + POOL + POOL.replace("edge", "west")
FORMS = ["edge/workers", "spotnodepool/edge/workers", "SpotNodePool/edge/workers", "spotnodepools/edge/workers"]
FORMS += ["snp/edge/workers", "pools/edge/workers", "spotnodepools.ngpc.rxt.io/edge/workers"]


@pytest.fixture(autouse=True)
def two_pools(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A pool `workers` in each of two cloudspaces."""
    assert run(["--sandbox", "apply", write(STACK), "--yes"]) == 0
    capsys.readouterr()


def printed(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """What a command prints; its errors if it fails."""
    capsys.readouterr()
    assert run(["--sandbox", *arguments]) == code, capsys.readouterr().err
    shown = capsys.readouterr()
    return shown.err if code else shown.out


def wire_name(capsys: pytest.CaptureFixture[str], name: str) -> str:
    return printed(capsys, "spotnodepools", "get", name, "-o", "jsonpath={.metadata.name}")


def test_every_form_of_a_name_means_the_same_object(capsys: pytest.CaptureFixture[str]) -> None:
    """The UUID, too, alone or with what it is in."""
    wire = wire_name(capsys, "edge/workers")
    forms = [*FORMS, wire, f"edge/{wire}", f"spotnodepool/{wire}", f"spotnodepool/edge/{wire}"]
    assert {wire_name(capsys, form) for form in forms} == {wire}
    assert wire_name(capsys, "west/workers") != wire


def test_what_name_prints_is_understood(capsys: pytest.CaptureFixture[str]) -> None:
    """By get, and for every kind."""
    for plural in ("cloudspaces", "spotnodepools", "regions", "serverclasses"):
        for address in printed(capsys, plural, "list", "-o", "name").split()[:3]:
            assert printed(capsys, plural, "get", address, "-o", "name") == f"{address}\n"
    for address in printed(capsys, "pricing", "list", "-o", "name").split()[:3]:
        assert printed(capsys, "serverclasses", "get", address, "-o", "name") == f"{address}\n"


@pytest.mark.parametrize("name", FORMS)
def test_every_verb_takes_every_form(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Of one object among two with the same name."""
    assert (
        json.loads(printed(capsys, "spotnodepools", "patch", name, '{"desired": 3}', "-o", "json"))["spec"]["desired"]
        == 3
    )
    assert "edge/workers" in printed(capsys, "spotnodepools", "wait", name)
    assert "edge/workers" in printed(capsys, "spotnodepools", "watch", name, "--events", "1")
    assert "spotnodepool/edge/workers" in printed(capsys, "explain", name, "stack.yaml")
    printed(capsys, "spotnodepools", "delete", name, "--yes")
    printed(capsys, "spotnodepools", "wait", name, "--gone")
    assert printed(capsys, "spotnodepools", "list", "-o", "name") == "spotnodepool/west/workers\n"


def test_within_says_the_cloudspace(capsys: pytest.CaptureFixture[str]) -> None:
    """On every verb; the cloudspace has names of its own."""
    for within in ("west", "cloudspace/west", "cs/west"):
        inside = ("--within", within)
        for command in (("list",), ("get", "workers")):
            assert printed(capsys, "spotnodepools", *command, *inside, "-o", "name") == "spotnodepool/west/workers\n"
        assert "west/workers" in printed(capsys, "spotnodepools", "wait", "workers", *inside)
        assert "west/workers" in printed(capsys, "spotnodepools", "watch", *inside, "--events", "1")
        printed(capsys, "spotnodepools", "patch", "workers", '{"desired": 1}', *inside)
    printed(capsys, "spotnodepools", "delete", "workers", "--within", "west", "--yes")
    printed(capsys, "spotnodepools", "wait", "workers", "--within", "west", "--gone")
    assert printed(capsys, "spotnodepools", "list", "-o", "name") == "spotnodepool/edge/workers\n"


def test_a_uuid_within_another_cloudspace_is_not_found(capsys: pytest.CaptureFixture[str]) -> None:
    """The wrong pool must not be deleted because its UUID was pasted."""
    wire = wire_name(capsys, "edge/workers")
    command = ("spotnodepools", "delete", wire, "--within", "west", "--yes")
    assert f"none of the spotnodepools has the name 'west/{wire}'" in printed(capsys, *command, code=1)
    assert "edge/workers" in printed(capsys, "spotnodepools", "get", wire)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("get workers", 3, "use one of: edge/workers, west/workers"),
        ("delete workers --yes", 3, "use one of: edge/workers, west/workers"),
        ("get workrs", 1, "did you mean '"),
        ("get edge/workrs", 1, "did you mean 'edge/workers'?"),
        ("get egde/workers", 1, "did you mean 'edge/workers'?"),
        ("get nothing-like-it", 1, "none of the spotnodepools has the name 'nothing-like-it'"),
        ("get cloudspace/edge/workers", 3, "cloudspace is another kind, CloudSpace"),
        ("get a/b/c/d", 3, "call it spotnodepool/CLOUDSPACE/NAME"),
        ("get edge/workers --within west", 3, "--within says 'west'"),
    ],
)
def test_a_name_that_means_no_one_object_is_explained(
    capsys: pytest.CaptureFixture[str], arguments: str, code: int, said: str
) -> None:
    assert said in printed(capsys, "spotnodepools", *arguments.split(), code=code)


def test_a_kind_without_a_parent_is_within_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """An empty list would look like an answer."""
    for command in (("list",), ("get", "edge"), ("watch",)):
        said = printed(capsys, "cloudspaces", *command, "--within", "edge", code=3)
        assert "cloudspaces are not within anything else" in said
    assert "--within" not in printed(capsys, "cloudspaces", "list", "--help")
    assert "--within, --cloudspace CLOUDSPACE" in printed(capsys, "spotnodepools", "list", "--help")


def test_services_take_the_names_of_cloudspaces(capsys: pytest.CaptureFixture[str]) -> None:
    """As they are printed."""
    for name in ("edge", "cloudspace/edge", "cs/edge"):
        assert "clusters:" in printed(capsys, "cloudspaces", "kubeconfig", name)
        assert "edge" in printed(capsys, "events", "list", "--cloudspace", name)
    upgraded = printed(capsys, "cloudspaces", "upgrade", "cloudspace/edge", "1.34.0", "-o", "json")
    assert json.loads(upgraded) == {"name": "edge", "kubernetesVersion": "1.34.0"}


def test_explain_lists_what_a_name_may_be(capsys: pytest.CaptureFixture[str]) -> None:
    """Two pools are declared under one name."""
    said = printed(capsys, "explain", "workers", "stack.yaml", code=3)
    assert "use one of: spotnodepool/edge/workers, spotnodepool/west/workers" in said
