"""YAML in request bodies: bounded however it is written, and parsed while no other request has to wait."""

import pytest

from rsspot.simulator.apiserver import messages
from rsspot.simulator.apiserver.yaml_bodies import MOST_ALIASED, parse_yaml

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 12)
)
LONG = f"a: &a {'x' * MOST_ALIASED}\nb: [*a, *a]\n"
KEYS = f"a: &a {{{'x' * 1000}: 1}}\nb: [{', '.join(['*a'] * 2000)}]\n"
CYCLE = "a: &a [*a]\n"
CYCLES = "a: &a {b: *a, c: [*a]}\n"
DEEP = "[" * 100_000
STEPS = "- " * 100_000
MERGED = "a: &a {b: 1}\nc:\n  <<: *a\n"
YAML, APPLY = "application/yaml", "application/apply-patch+yaml"


@pytest.mark.parametrize("text", [BOMB, LONG, KEYS, CYCLE, CYCLES, DEEP, STEPS], ids=range(7))
@pytest.mark.parametrize(
    ("method", "name", "content_type", "status"),
    # A real server answers with 500 if it cannot decode the options of a delete.
    [("POST", "", YAML, 400), ("PUT", "prod", YAML, 400), ("PATCH", "prod", APPLY, 400), ("DELETE", "prod", YAML, 500)],
)
def test_a_document_that_explodes_is_refused(tenant, text, method, name, content_type, status):
    """With an error and a short message, for every verb that has a body."""
    tenant.cloudspace()
    head = "apiVersion: ngpc.rxt.io/v1\nkind: CloudSpace\n" if text[0] not in "[-" else ""
    query = {"fieldManager": "x"} if method == "PATCH" else None
    path = tenant.path("cloudspaces", name)
    response = tenant.respond(method, path, (head + text).encode(), content_type=content_type, query=query)
    assert response.status == status
    assert b"yaml: " in response.body
    assert tenant.respond("GET", tenant.path("cloudspaces", "prod")).status == 200


def test_ordinary_aliases_are_accepted():
    """They stand for what they refer to, merge keys included."""
    assert parse_yaml(b"a: &a {b: [1, two]}\nc: *a\n").value == {"a": {"b": [1, "two"]}, "c": {"b": [1, "two"]}}
    assert parse_yaml(MERGED.encode()).value == {"a": {"b": 1}, "c": {"b": 1}}
    assert parse_yaml(b"").value is None


def test_repeated_fields_are_found_within_aliases():
    assert parse_yaml(b"a: &a {b: 1, b: 2}\nc: *a\n").repeated == ("a.b", "c.b")


@pytest.mark.parametrize(
    "content", [b"a: \x00", b"a: \xff", b"a: [", b"%YAML 9\n---\n", b"a: 1\n---\nb: 2\n", b"a: .nan"]
)
def test_what_is_not_yaml_is_an_error_and_no_exception(content):
    body = parse_yaml(content)
    assert (body.value is None) == (body.error is not None)


@pytest.mark.parametrize("content_type", [YAML, APPLY, "Application/YAML; charset=utf-8"])
def test_yaml_is_parsed_before_the_lock_of_the_world_is_taken(tenant, monkeypatch, content_type):
    """And only once."""
    held = []

    def parse(content):
        held.append(tenant.spot.world.lock._is_owned())
        return parse_yaml(content)

    monkeypatch.setattr(messages, "parse_yaml", parse)
    method, name = ("PATCH", "prod") if content_type == APPLY else ("POST", "")
    body = b"apiVersion: ngpc.rxt.io/v1\nkind: CloudSpace\nmetadata: {name: prod}\nspec: {region: us-central-ord-1}\n"
    query = {"fieldManager": "x", "fieldValidation": "Strict"}
    tenant.respond(method, tenant.path("cloudspaces", name), body, content_type=content_type, query=query)
    assert held == [False]
