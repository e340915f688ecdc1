"""Tests of the API server beyond the recorded conversations: CEL rules, field sets, tables and additional kinds."""

import json

import celpy
import httpx
import pytest
from celpy.adapter import json_to_cel
from hypothesis import given, settings
from hypothesis import strategies as st

from rsspot.errors import UsageError
from rsspot.simulator.apiserver.cel import compiled, is_transition
from rsspot.simulator.apiserver.crds import definition_of, shipped
from rsspot.simulator.apiserver.fields import Differences, claimed, merged, nodes, paths_of, spelled, tree, without
from rsspot.simulator.apiserver.openapi_v3 import document
from rsspot.simulator.apiserver.schema import rules_of, unknown_fields, violations, with_defaults
from rsspot.simulator.apiserver.tables import age, found_at
from support.amount import amount

WIDGETS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"kind": "Widget", "plural": "widgets", "singular": "widget"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "selectableFields": [{"jsonPath": ".spec.color"}],
                "additionalPrinterColumns": [
                    {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
                    {"name": "First", "type": "string", "jsonPath": ".spec.parts[0].name"},
                ],
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "x-kubernetes-validations": [
                                    {"rule": "!has(self.min) || self.min <= self.max", "message": "min above max"}
                                ],
                                "properties": {
                                    "color": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 9},
                                    "min": {"type": "integer", "maximum": 10},
                                    "max": {"type": "integer", "default": 5},
                                    "port": {"x-kubernetes-int-or-string": True},
                                    "parts": {
                                        "type": "array",
                                        "maxItems": 3,
                                        "x-kubernetes-list-type": "map",
                                        "x-kubernetes-list-map-keys": ["name"],
                                        "items": {
                                            "type": "object",
                                            "required": ["name"],
                                            "properties": {"name": {"type": "string"}, "size": {"type": "integer"}},
                                        },
                                    },
                                    "extra": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                                },
                            },
                            "status": {
                                "type": "object",
                                "properties": {
                                    "conditions": {
                                        "type": "array",
                                        "items": {
                                            "type": "object",
                                            "properties": {"type": {"type": "string"}, "status": {"type": "string"}},
                                        },
                                    }
                                },
                            },
                        },
                    }
                },
            }
        ],
    },
}
WIDGET = definition_of(WIDGETS)
ENVIRONMENT = celpy.Environment()
APPLY = "application/apply-patch+yaml"


@pytest.fixture
def workshop(new_tenant):
    """A tenant of a world that also serves widgets."""
    return new_tenant(definitions=[WIDGET])


def widget(name, **spec):
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec}


def ask(workshop, method, name="", body=None, **rest):
    path = f"/apis/example.com/v1/namespaces/{workshop.namespace}/widgets"
    return workshop.ask(method, f"{path}/{name}" if name else path, body, **rest)


# CEL rules


def every_rule():
    return sorted({rule for definition in shipped() for rule in rules_of(definition.schema)})


@pytest.mark.parametrize("rule", every_rule())
@settings(max_examples=60, deadline=None)
@given(value=st.from_regex(r"[0-9.$\-a-z\n]{0,8}", fullmatch=True), old=st.sampled_from(["gen1", "0.02", ""]))
def test_built_in_rules_agree_with_a_cel_interpreter(rule, value, old):
    """The built-in forms of the shipped rules give the same result as a CEL interpreter for any value."""
    program = ENVIRONMENT.program(ENVIRONMENT.compile(rule))
    names = {"self": json_to_cel(value), **({"oldSelf": json_to_cel(old)} if is_transition(rule) else {})}
    assert compiled(rule)(value, old) == bool(program.evaluate(names))


def test_an_invalid_rule_raises_an_error_when_it_is_compiled():
    """It is never silently true."""
    with pytest.raises(UsageError, match="cannot be read"):
        compiled("self..x == 1")


def test_a_rule_whose_evaluation_fails_does_not_hold():
    """Like on a real API server."""
    assert not compiled("self.nothing.at.all == 1")({}, None)


# Additional kinds


def test_an_additional_kind_is_served_as_its_definition_says(workshop):
    """Defaults, patterns, bounds, rules, keyed lists and preserved unknown fields."""
    status, made = ask(
        workshop, "POST", body=widget("one", color="red", min=1, port="http", extra={"any": [1, {"a": 2}]})
    )
    assert (status, made["spec"]["max"], made["spec"]["extra"]) == (201, 5, {"any": [1, {"a": 2}]})
    status, body = ask(workshop, "POST", body=widget("two", min=6))
    assert (status, body["details"]["causes"][0]["message"]) == (422, 'Invalid value: "object": min above max')
    parts = [{"name": str(number)} for number in range(4)]
    status, body = ask(workshop, "POST", body=widget("two", color="RED", min=11, port=1.5, parts=parts))
    reasons = {cause["field"]: cause["reason"] for cause in body["details"]["causes"]}
    assert status == 422
    assert reasons == {
        "spec.color": "FieldValueInvalid",
        "spec.min": "FieldValueInvalid",
        "spec.port": "FieldValueTypeInvalid",
        "spec.parts": "FieldValueTooMany",
        "<nil>": "FieldValueInvalid",
    }


def test_field_selectors_accept_only_selectable_fields(workshop):
    """A selectable field is compared for equality. Any other field is a 400."""
    for name, color in (("one", "red"), ("two", "blue")):
        ask(workshop, "POST", body=widget(name, color=color))
    body = ask(workshop, "GET", query={"fieldSelector": "spec.color=blue"}).said
    assert [item["metadata"]["name"] for item in body["items"]] == ["two"]
    assert ask(workshop, "GET", query={"fieldSelector": "spec.min=1"}).status == 400


def test_two_managers_can_share_a_keyed_list(workshop):
    """Each manager owns its own items, and only those are removed when it stops applying them."""

    def apply(manager, *parts):
        query = {"fieldManager": manager}
        return ask(workshop, "PATCH", "one", widget("one", parts=list(parts)), query=query, content_type=APPLY)

    apply("ada", {"name": "a", "size": 1}, {"name": "b", "size": 2})
    body = apply("bob", {"name": "c", "size": 3}).said
    assert [part["name"] for part in body["spec"]["parts"]] == ["a", "b", "c"]
    status, body = apply("bob", {"name": "a", "size": 9})
    assert (status, body["details"]["causes"][0]["field"]) == (409, '.spec.parts[name="a"].size')
    body = apply("ada", {"name": "b", "size": 2}).said
    assert [part["name"] for part in body["spec"]["parts"]] == ["b", "c"]


def test_table_cells_support_json_paths_with_filters_and_indexes(workshop):
    """The status of a condition, and the first item of a list."""
    body = {"status": {"conditions": [{"type": "Live", "status": "No"}, {"type": "Ready", "status": "True"}]}}
    assert found_at(body, '.status.conditions[?(@.type=="Ready")].status') == ["True"]
    assert found_at(body, ".status.conditions[*].type") == ["Live", "Ready"]
    assert found_at(body, ".status.conditions[5].type") == found_at(body, ".nothing.here") == []
    ask(workshop, "POST", body=widget("one", parts=[{"name": "wheel"}]))
    accept = "application/json;as=Table;v=v1;g=meta.k8s.io"
    assert ask(workshop, "GET", Accept=accept).said["rows"][0]["cells"] == ["one", None, "wheel"]


def test_warning_headers_support_any_field_name(tenant):
    """The header is UTF-8. Texts that a header cannot hold are left out, and the total length is limited."""
    tenant.cloudspace()
    patch = {"spec": {"\u0100\u20ac": 1, "two\r\nSet-Cookie: x": 2}}
    answer = tenant.respond(
        "PATCH", tenant.path("cloudspaces", "prod"), patch, content_type="application/merge-patch+json"
    )
    assert answer.headers["Warning"] == '299 - "unknown field \\"spec.\u0100\u20ac\\""'
    patch = {"spec": {f"{number}{'x' * 500}": 1 for number in range(20)}}
    answer = tenant.respond(
        "PATCH", tenant.path("cloudspaces", "prod"), patch, content_type="application/merge-patch+json"
    )
    assert 2000 < len(answer.headers["Warning"]) < 4200


async def test_warnings_with_non_ascii_text_arrive_in_process(spot_api):
    """The bytes are the same as over the network."""
    async with httpx.AsyncClient(transport=spot_api.transport, base_url="http://127.0.0.1") as client:
        organization = spot_api.world.organizations[0]
        headers = {"Authorization": f"Bearer {spot_api.world.identity.id_token(organization)}"}
        frame = {"apiVersion": "ngpc.rxt.io/v1", "kind": "CloudSpace", "metadata": {"name": "prod"}}
        spec = {"region": "us-central-ord-1", "kubernetesVersion": "1.31.1", "\u0100": 1}
        path = f"/apis/ngpc.rxt.io/v1/namespaces/{organization.namespace}/cloudspaces"
        answer = await client.post(path, json={**frame, "spec": spec}, headers=headers)
    assert "\u0100".encode() in dict(answer.headers.raw)[b"Warning"]


# Field sets

VALUES = st.recursive(
    st.sampled_from([0, 1, "x"]),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=amount(60, 600), deadline=None)
@given(st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3))
def test_field_sets_survive_serialization(value):
    """Paths survive the conversion to FieldsV1 and back."""
    for paths in (frozenset(nodes({}, value)), claimed({}, value)):
        assert paths_of(json.loads(json.dumps(tree(paths)))) == paths


@settings(max_examples=amount(60, 600), deadline=None)
@given(
    st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3),
    st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3),
)
def test_merged_objects_have_every_applied_field(live, config):
    """This holds for any live object. Removing all applied fields leaves nothing of the configuration."""
    both = merged({}, live, config)
    assert claimed({}, config) <= frozenset(nodes({}, both)) | claimed({}, both)
    left = without({}, config, claimed({}, config), frozenset())
    assert left == {}


@settings(max_examples=amount(60, 600), deadline=None)
@given(
    st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3),
    st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3),
)
def test_differences_equal_those_of_the_complete_field_lists(old, new):
    """Skipping equal parts misses no difference."""
    before, after = nodes({}, old), nodes({}, new)
    differences = Differences.between({}, old, new)
    assert differences.removed == before.keys() - after.keys()
    assert differences.written == {path for path, value in after.items() if path not in before or value != before[path]}


def test_names_in_paths_can_be_percent_encoded(tenant):
    """An encoded slash is part of the name, not a separator."""
    tenant.cloudspace()
    assert tenant.ask("GET", tenant.path("cloudspaces", "%70rod")).said["metadata"]["name"] == "prod"
    assert tenant.ask("GET", tenant.path("cloudspaces", "a%2Fb")).status == 404


@pytest.mark.parametrize("fields", [[], {"x:a": {}}, {"f:a": 1}])
def test_an_invalid_field_set_is_refused(fields):
    with pytest.raises(ValueError, match="fieldsV1"):
        paths_of(fields)


def test_field_paths_are_formatted_as_in_server_messages():
    path = ("f:metadata", "f:finalizers", 'v:"a/b"')
    assert spelled(path) == '.metadata.finalizers[="a/b"]'
    assert spelled(("f:spec", "f:parts", 'k:{"name":"a"}', "f:size")) == '.spec.parts[name="a"].size'


# Schemas, OpenAPI documents and ages


def test_defaults_apply_inside_lists_and_maps():
    """A default applies wherever the schema has one."""
    schema = {
        "properties": {"list": {"items": {"properties": {"a": {"default": 1}}}}},
        "additionalProperties": {"properties": {"b": {"default": 2}}},
    }
    assert with_defaults(schema, {"list": [{}], "other": {}}) == {"list": [{"a": 1}], "other": {"b": 2}}


def test_unknown_fields_are_found_at_every_depth():
    """Fields below x-kubernetes-preserve-unknown-fields are not reported."""
    spec = {"color": "red", "odd": 1, "parts": [{"name": "a", "odder": 2}], "extra": {"fine": 3}}
    assert sorted(unknown_fields(WIDGET.schema, {"spec": spec})) == ["spec.odd", "spec.parts[0].odder"]
    assert violations(WIDGET.schema, {"spec": {"color": "red"}}) == []


def test_every_reference_of_the_v3_document_resolves():
    """Every referenced schema is in the document, and no v2 reference is left."""
    text = json.dumps(document([WIDGET], "v1"))
    schemas = json.loads(text)["components"]["schemas"]
    referenced = {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert referenced == set(schemas) - {"com.example.v1.Widget"} | {"com.example.v1.Widget"}
    assert "#/definitions/" not in text


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "0s"), (119, "119s"), (120, "2m"), (150, "2m30s"), (600, "10m"), (10_799, "179m"), (10_800, "3h"),
     (25_200, "7h"), (26_100, "7h15m"), (28_800, "8h"), (172_799, "47h"), (172_800, "2d"), (180_000, "2d2h"),
     (864_000, "10d"),
     (63_072_000, "2y"), (64_800_000, "2y20d"), (300_000_000, "9y")],
)  # fmt: skip
def test_ages_are_formatted_as_by_kubectl(seconds, expected):
    assert age("2026-01-01T00:00:00Z", 1_767_225_600 + seconds) == expected


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"limit": "9223372036854775807"}, 200),
        ({"resourceVersion": "9" * 5000}, 400),
        ({"continue": "WyJhIiwiYiIsMWU0MDAsMF0"}, 400),
        ({"continue": "WyJhIiwiYiIsOTk5OTk5OTk5OTk5OTk5OTk5OTk5OTksOTk5OTk5OTk5OTld"}, 400),
        ({"watch": "true", "resourceVersion": "200000000000000000000"}, 500),
    ],
)
def test_huge_numbers_in_queries_cause_no_internal_error(tenant, query, status):
    """None of them reaches the store."""
    answer = tenant.list("cloudspaces", **query)
    assert answer.status == status
    assert "Internal error" not in json.dumps(answer.said)


@pytest.mark.parametrize(
    ("metadata", "status"),
    [
        ({"generateName": None}, 201),
        ({"ownerReferences": [{"apiVersion": "v1", "kind": "X", "name": "n", "uid": [1]}]}, 400),
        ({"ownerReferences": [{"apiVersion": 5, "kind": 5, "name": 5, "uid": 5}]}, 400),
    ],
)
def test_metadata_of_wrong_types_is_refused_and_nulls_count_as_missing(tenant, metadata, status):
    """Like on a server that decodes metadata into typed structs."""
    spec = {"region": "us-central-ord-1", "kubernetesVersion": "1.31.1"}
    answer = tenant.create("cloudspaces", "prod", spec, **metadata)
    assert answer.status == status
    assert "generateName" not in answer.said["metadata"]


def test_a_pool_gets_at_most_the_available_servers(tenant):
    """The number is limited even if the pool asks for far more."""
    tenant.cloudspace()
    spec = {"serverClass": "ch.vs1.large-ord", "cloudSpace": "prod", "desired": 1_808_744_826_939}
    tenant.create("ondemandnodepools", "0a6e2c1e-7a53-5c5e-9d7c-0f4a0a4b9a01", spec)
    tenant.spot.advance(120)
    pool = tenant.get("ondemandnodepools", "0a6e2c1e-7a53-5c5e-9d7c-0f4a0a4b9a01").said
    assert pool["status"]["reservedCount"] == 120
