"""Tests of the OpenAPI document: it covers the same kinds as discovery and only operations that are served."""

import json
import re

import pytest

from rsspot.simulator.apiserver import openapi_protobuf
from rsspot.simulator.apiserver.crds import definition_of, shipped
from rsspot.simulator.apiserver.openapi import definition_name, structural, swagger
from rsspot.simulator.apiserver.protobuf import field

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
    """The response to GET /openapi/v2."""
    answer = tenant.ask("GET", "/openapi/v2")
    assert answer.status == 200
    return answer.said


def operations(document):
    """Every operation of the document as (path, method, operation)."""
    return [
        (path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def references(value):
    """Every $ref in a value."""
    if isinstance(value, list):
        return [reference for item in value for reference in references(item)]
    if not isinstance(value, dict):
        return []
    own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
    return own + [reference for inner in value.values() for reference in references(inner)]


def test_every_kind_of_discovery_is_in_the_document(tenant, document):
    """Each kind has a definition, a list definition and operations."""
    kinds = {operation.get("x-kubernetes-group-version-kind", {}).get("kind") for *_, operation in operations(document)}
    for resource in tenant.ask("GET", GROUP).said["resources"]:
        assert resource["kind"] in kinds
        assert f"io.rxt.ngpc.v1.{resource['kind']}" in document["definitions"]
        assert f"io.rxt.ngpc.v1.{resource['kind']}List" in document["definitions"]


def test_every_reference_resolves_and_every_definition_is_used(document):
    """Code generators find no dangling references and no unused definitions."""
    referenced = set(references(document))
    for reference in referenced:
        _, where, name = reference.split("/")
        assert name in document[where]
    definitions = {f"#/definitions/{name}" for name in document["definitions"]}
    assert definitions <= referenced


def test_read_only_kinds_have_no_write_operations(document):
    """Forbidden operations are not in the document."""
    for plural in ("regions", "serverclasses"):
        for path in (f"{GROUP}/{plural}", f"{GROUP}/{plural}/{{name}}"):
            assert METHODS & set(document["paths"][path]) == {"get"}


def test_operation_ids_follow_the_kubernetes_convention(document):
    """Generated clients take their method names from the operation ids."""
    pools = f"{GROUP}/namespaces/{{namespace}}/spotnodepools"
    ids = {(path, method): operation["operationId"] for path, method, operation in operations(document)}
    assert ids[pools, "get"] == "listNgpcRxtIoV1NamespacedSpotNodePool"
    assert ids[pools, "post"] == "createNgpcRxtIoV1NamespacedSpotNodePool"
    assert ids[pools, "delete"] == "deleteNgpcRxtIoV1CollectionNamespacedSpotNodePool"
    assert ids[f"{pools}/{{name}}", "get"] == "readNgpcRxtIoV1NamespacedSpotNodePool"
    assert ids[f"{GROUP}/spotnodepools", "get"] == "listNgpcRxtIoV1SpotNodePoolForAllNamespaces"
    assert ids[f"{GROUP}/regions", "get"] == "listNgpcRxtIoV1Region"
    assert len(set(ids.values())) == len(ids)


def test_every_get_without_an_object_name_is_served(tenant, document):
    """GET returns 200 for every path that has no object name."""
    for path, method, _ in operations(document):
        target = path.replace("{namespace}", tenant.namespace)
        if method == "get" and "{" not in target:
            assert tenant.ask("GET", target).status == 200, target


def test_path_parameters_are_declared(document):
    """Every {name} in a path is declared as a path parameter, and no other."""
    for path, item in document["paths"].items():
        declared = {parameter["name"] for parameter in item.get("parameters", ()) if parameter.get("in") == "path"}
        assert declared == set(re.findall(r"{(\w+)}", path))


def test_schemas_keep_only_keywords_of_openapi_v2(document):
    """Types, defaults and enums are kept; nullable, oneOf and not are dropped."""
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


def test_an_additional_kind_is_in_the_document():
    """A kind that is cluster-scoped, writable and in another group."""
    document = swagger([WIDGETS], "v1")
    assert set(document["paths"]["/apis/more.example.com/v1beta1/widgets"]) >= {"get", "post", "delete"}
    assert definition_name(WIDGETS) == "com.example.more.v1beta1.Widget"
    assert definition_name(WIDGETS) in document["definitions"]


def test_the_document_does_not_depend_on_the_order_of_definitions():
    """The documents are equal byte for byte."""
    kinds = shipped()
    assert json.dumps(swagger(kinds, "v1")) == json.dumps(swagger(reversed(kinds), "v1"))


@pytest.mark.parametrize("separator", [".", "@"])
def test_a_request_for_a_protocol_buffer_is_answered_with_one(tenant, document, separator):
    """kubectl reads no other form: before it applies a `kind: List`, it validates the items by this document."""
    headers = {"Accept": f"application/com.github.proto-openapi.spec.v2{separator}v1.0+protobuf"}
    response = tenant.respond("GET", "/openapi/v2", **headers)
    assert (response.status, response.content_type) == (200, openapi_protobuf.MEDIA_TYPE)
    assert response.body.startswith(field(1, "2.0"))
    for name in document["definitions"]:
        assert name.encode() in response.body


def test_the_protocol_buffer_keeps_the_types_of_a_schema():
    """Texts, numbers, booleans, lists, maps, references and extensions have the numbers of openapi.v2.Schema."""
    schema = {
        "type": "object",
        "required": ["a"],
        "minimum": 1,
        "uniqueItems": True,
        "additionalProperties": False,
        "x-kubernetes-list-type": "map",
        "properties": {"a": {"$ref": "#/definitions/A"}},
    }
    document = {"swagger": "2.0", "info": {"title": "T", "version": "1"}, "definitions": {"B": schema}}
    encoded = (
        field(22, field(1, "object"))
        + field(19, "a")
        + field(9, 1.0)
        + field(16, True)
        + field(21, field(2, False))
        + field(25, field(1, field(1, "a") + field(2, field(1, "#/definitions/A"))))
        + field(31, field(1, "x-kubernetes-list-type") + field(2, field(2, '"map"')))
    )
    definitions = field(9, field(1, field(1, "B") + field(2, encoded)))
    head = field(1, "2.0") + field(2, field(1, "T") + field(2, "1"))
    assert openapi_protobuf.encoded(document) == head + definitions


def test_the_wire_format_is_that_of_protocol_buffers():
    """The examples of its specification, and a negative number."""
    assert field(1, 150) == bytes.fromhex("089601")
    assert field(2, "testing") == bytes.fromhex("120774657374696e67")
    assert field(3, b"\x08\x96\x01") == bytes.fromhex("1a03089601")
    assert field(1, 1.0) == bytes.fromhex("09000000000000f03f")
    assert field(1, -2) == bytes.fromhex("08feffffffffffffffff01")


def test_the_document_requires_a_token(tenant):
    """Like the rest of discovery."""
    assert tenant.respond("GET", "/openapi/v2", Authorization=None).status == 401
