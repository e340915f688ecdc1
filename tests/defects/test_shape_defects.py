"""Responses: lists are read to the last page, and one malformed object never hides the others."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from rsspot import RsspotError, SpotClient, UnexpectedShape
from rsspot.simulator.apiserver.messages import Response
from support.loopback_server import SPEC

LISTS = ["cloudspaces", "spotnodepools", "ondemandnodepools", "vmcloudspaces", "vmpools", "serverclasses", "regions"]


@pytest.mark.defect(23)
def test_a_list_has_the_objects_of_every_page(account, rsspot):
    """Otherwise objects on the second page are silently missing."""
    for number in range(1101):
        account.make("cloudspaces", f"c{number:04}", SPEC)
    assert len(rsspot("cloudspaces", "list").out.splitlines()) == 1102
    with SpotClient() as client:
        assert [cloudspace.name for cloudspace in client.cloudspaces.list()] == [
            f"c{number:04}" for number in range(1101)
        ]
    queries = [request.query for request in account.requests if request.path.endswith("/cloudspaces")]
    assert ["continue" in query for query in queries] == [False, True, True] * 2


@pytest.mark.defect(24)
@pytest.mark.parametrize("plural", LISTS)
@pytest.mark.parametrize("items", [None, []], ids=["null", "empty"])
def test_an_empty_list_is_not_an_error(account, rsspot, plural, items):
    """A Go server may send null for an empty list."""
    document = {"kind": "List", "metadata": None, "items": items}
    account.answer(f"GET .*/{plural}$", *[Response.of_json(200, document)] * 2)
    ended = rsspot(plural, "list", "-o", "json")
    assert (ended.code, ended.json) == (0, [])
    with SpotClient() as client:
        group = {"serverclasses": "server_classes", "vmcloudspaces": "vm_cloudspaces", "vmpools": "vm_pools"}
        name = group.get(plural, plural.replace("nodepools", "_nodepools"))
        assert getattr(client, name).list() == []


GOOD = {"metadata": {"name": "good", "uid": "1", "labels": None, "annotations": None, "finalizers": None}, "spec": SPEC}
YOUNG = {"metadata": {"name": "young", "uid": "2"}, "spec": {**SPEC, "cni": None}, "status": None}
ODD = {"metadata": {"name": "odd", "uid": "3"}, "spec": {**SPEC, "region": ["what"]}}


@pytest.mark.defect(24)
def test_an_object_without_labels_or_status_is_valid(account, rsspot):
    """Otherwise a new cloudspace breaks the list of all of them."""
    account.answer("GET .*/cloudspaces$", *[Response.of_json(200, {"items": [GOOD, YOUNG], "metadata": {}})] * 2)
    listed = rsspot("cloudspaces", "list", "-o", "json").json
    assert [cloudspace["metadata"]["name"] for cloudspace in listed] == ["good", "young"]
    with SpotClient() as client:
        good, young = client.cloudspaces.list()
    assert (good.metadata.labels, young.status) == ({}, None)


@pytest.mark.defect(24)
def test_one_malformed_object_does_not_hide_the_others(account, rsspot):
    """Otherwise one malformed object makes a hundred valid ones unreachable."""
    account.answer("GET .*/cloudspaces$", *[Response.of_json(200, {"items": [GOOD, ODD, YOUNG]})] * 3)
    with SpotClient() as client, pytest.raises(UnexpectedShape, match="odd") as raised:
        client.cloudspaces.list()
    assert [cloudspace.name for cloudspace in raised.value.readable] == ["good", "young"]
    for output in ("table", "json"):
        ended = rsspot("cloudspaces", "list", "-o", output)
        assert ended.code == 0
        assert all(name in ended.out for name in ("good", "odd", "young"))


BODIES = {
    "html": b"<html>hello</html>",
    "a list": b"[]",
    "a number": b"1",
    "truncated": b'{"items": [',
    "items not a list": b'{"items": "many"}',
    "items not objects": b'{"items": [1, "two"]}',
    "objects without a name": b'{"items": [{"metadata": {}, "spec": {}}]}',
    "objects without metadata": b'{"items": [{}]}',
    "not text": b"\xff\xfe\x00",
}


@pytest.mark.defect(24)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_malformed_response_raises_an_rsspot_error(account, body, monkeypatch):
    """Otherwise a program that catches RsspotError fails with another library's error."""
    monkeypatch.setenv("RSSPOT_MAX_RETRIES", "0")
    account.answer("GET .*/cloudspaces$", Response(200, body))
    with SpotClient() as client, pytest.raises(RsspotError):
        client.cloudspaces.list()


@pytest.mark.defect(24)
@pytest.mark.parametrize("output", ["table", "json"])
@pytest.mark.parametrize("name", BODIES)
def test_a_malformed_response_prints_no_traceback(account, rsspot, name, output):
    """The same for a command."""
    account.answer("GET .*/cloudspaces$", Response(200, BODIES[name]))
    ended = rsspot("cloudspaces", "list", "-o", output)
    assert ended.code in (0, 1)
    assert "internal error" not in ended.out + ended.err
    assert "Traceback" not in ended.err


@pytest.mark.defect(24)
@pytest.mark.parametrize("name", ["items not a list", "items not objects", "objects without a name"])
def test_a_plan_reports_a_malformed_response(account, tmp_path, name):
    """It is treated as a list that could not be read."""
    manifest = tmp_path / "stack.yaml"
    manifest.write_text(
        f"apiVersion: ngpc.rxt.io/v1\nkind: CloudSpace\nmetadata: {{name: web}}\nspec: {json.dumps(SPEC)}"
    )
    account.answer("GET .*/cloudspaces$", Response(200, BODIES[name]))
    # In a separate process, because other lists may still be running when one fails.
    command = [sys.executable, "-m", "rsspot", "plan", str(manifest)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 5
    assert "the live cloudspaces could not be read" in ended.stderr
    assert "Traceback" not in ended.stderr
