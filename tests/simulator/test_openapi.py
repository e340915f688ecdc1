"""The OpenAPI document: it names what discovery names, and promises no more than is served."""

import json
import re

import pytest

from rsspot.simulator.api import READ_ONLY
from rsspot.simulator.apiserver.crds import definition_of, shipped
from rsspot.simulator.apiserver.openapi import definition_name, structural, swagger

GROUP = "/apis/ngpc.rxt.io/v1"
METHODS = {"get", "put", "post", "delete", "patch"}
WIDGETS = definition_of(
    {
        "spec": {
            "group": "more.example.com",
            "scope": "Cluster",
            "names": {"kind": "Widget", "plural": "widgets", "singular": "widget"},
            "versions": [{"name": "v1beta1", "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}],
        }
    }
)


@pytest.fixture
def document(tenant):
    """What GET /openapi/v2 answers."""
    answer = tenant.ask("GET", "/openapi/v2")
    assert answer.status == 200
    return answer.said


def operations(document):
    """Every operation as (path, method, operation)."""
    return [
        (path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def references(value):
    """Every $ref within a value."""
    if isinstance(value, list):
        return [found for each in value for found in references(each)]
    if not isinstance(value, dict):
        return []
    own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
    return own + [found for each in value.values() for found in references(each)]


def test_it_names_every_kind_that_discovery_names(tenant, document):
    """Each has a definition, a list of its own, and operations."""
    kinds = {operation.get("x-kubernetes-group-version-kind", {}).get("kind") for *_, operation in operations(document)}
    for resource in tenant.ask("GET", GROUP).said["resources"]:
        assert resource["kind"] in kinds
        assert f"io.rxt.ngpc.v1.{resource['kind']}" in document["definitions"]
        assert f"io.rxt.ngpc.v1.{resource['kind']}List" in document["definitions"]


def test_every_reference_leads_somewhere(document):
    """No generator is left with a dangling name, and no definition is there for nothing."""
    led_to = set(references(document))
    for reference in led_to:
        _, where, name = reference.split("/")
        assert name in document[where]
    shared = {f"#/definitions/{name}" for name in document["definitions"]}
    assert shared <= led_to


def test_kinds_that_tenants_only_read_have_no_writes(document):
    """What is forbidden is not offered."""
    for plural in READ_ONLY:
        for path in (f"{GROUP}/{plural}", f"{GROUP}/{plural}/{{name}}"):
            assert METHODS & set(document["paths"][path]) == {"get"}


def test_operations_are_named_as_kubernetes_names_them(document):
    """Generated clients take their method names from these."""
    pools = f"{GROUP}/namespaces/{{namespace}}/spotnodepools"
    named = {(path, method): operation["operationId"] for path, method, operation in operations(document)}
    assert named[pools, "get"] == "listNgpcRxtIoV1NamespacedSpotNodePool"
    assert named[pools, "post"] == "createNgpcRxtIoV1NamespacedSpotNodePool"
    assert named[pools, "delete"] == "deleteNgpcRxtIoV1CollectionNamespacedSpotNodePool"
    assert named[f"{pools}/{{name}}", "get"] == "readNgpcRxtIoV1NamespacedSpotNodePool"
    assert named[f"{GROUP}/spotnodepools", "get"] == "listNgpcRxtIoV1SpotNodePoolForAllNamespaces"
    assert named[f"{GROUP}/regions", "get"] == "listNgpcRxtIoV1Region"
    assert len(set(named.values())) == len(named)


def test_every_get_of_the_document_is_served(tenant, document):
    """A path without a name in it answers 200."""
    for path, method, _ in operations(document):
        target = path.replace("{namespace}", tenant.namespace)
        if method == "get" and "{" not in target:
            assert tenant.ask("GET", target).status == 200, target


def test_paths_have_the_parameters_that_they_name(document):
    """Every {word} of a path is a required parameter of it."""
    for path, item in document["paths"].items():
        declared = {each["name"] for each in item.get("parameters", ()) if each.get("in") == "path"}
        assert declared == set(re.findall(r"{(\w+)}", path))


def test_schemas_keep_what_version_two_can_say(document):
    """Types, defaults and enums stay; null and choices go."""
    pool = document["definitions"]["io.rxt.ngpc.v1.SpotNodePool"]
    assert pool["x-kubernetes-group-version-kind"] == [
        {"group": "ngpc.rxt.io", "kind": "SpotNodePool", "version": "v1"}
    ]
    assert pool["properties"]["metadata"]["$ref"].endswith("ObjectMeta")
    assert pool["properties"]["spec"]["properties"]["desired"]["type"] == "integer"
    assert '"nullable"' not in json.dumps(document)
    assert structural({"type": "string", "nullable": True, "oneOf": [{}]}) == {}
    assert structural({"type": "object", "additionalProperties": {"type": "string", "not": {}}}) == {
        "type": "object",
        "additionalProperties": {"type": "string"},
    }


def test_a_further_kind_is_described_like_the_others():
    """Cluster-scoped, writable, of a group of its own."""
    document = swagger([WIDGETS], "v1")
    assert set(document["paths"]["/apis/more.example.com/v1beta1/widgets"]) >= {"get", "post", "delete"}
    assert definition_name(WIDGETS) == "com.example.more.v1beta1.Widget"
    assert definition_name(WIDGETS) in document["definitions"]


def test_the_order_of_the_definitions_does_not_show():
    """Byte for byte."""
    kinds = shipped()
    assert json.dumps(swagger(kinds, "v1")) == json.dumps(swagger(reversed(kinds), "v1"))


def test_kubectls_wish_for_protobuf_is_answered_with_json(tenant):
    """A client that cannot read it says so itself."""
    wish = {"Accept": "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"}
    response = tenant.respond("GET", "/openapi/v2", **wish)
    assert (response.status, response.content_type) == (200, "application/json")


def test_nobody_reads_it_without_a_token(tenant):
    """As the rest of discovery."""
    assert tenant.respond("GET", "/openapi/v2", Authorization=None).status == 401
