"""Parts of the API machinery that no conversation reaches: rules, field sets, tables, kinds of other people's."""

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
    """A tenant of a world that serves widgets too."""
    return new_tenant(definitions=[WIDGET])


def widget(name, **spec):
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec}


def ask(workshop, method, name="", body=None, **rest):
    path = f"/apis/example.com/v1/namespaces/{workshop.namespace}/widgets"
    return workshop.ask(method, f"{path}/{name}" if name else path, body, **rest)


# Rules


def every_rule():
    return sorted({rule for definition in shipped() for rule in rules_of(definition.schema)})


@pytest.mark.parametrize("rule", every_rule())
@settings(max_examples=60, deadline=None)
@given(value=st.from_regex(r"[0-9.$\-a-z\n]{0,8}", fullmatch=True), old=st.sampled_from(["gen1", "0.02", ""]))
def test_our_reading_of_a_shipped_rule_is_an_interpreters(rule, value, old):
    """What is built in for speed gives what a CEL interpreter gives, whatever the value."""
    program = ENVIRONMENT.program(ENVIRONMENT.compile(rule))
    names = {"self": json_to_cel(value), **({"oldSelf": json_to_cel(old)} if is_transition(rule) else {})}
    assert compiled(rule)(value, old) == bool(program.evaluate(names))


def test_a_rule_that_nothing_understands_is_an_error_when_it_is_read():
    """Never silently true."""
    with pytest.raises(UsageError, match="cannot be read"):
        compiled("self..x == 1")


def test_a_rule_that_ends_in_an_error_does_not_hold():
    """As an API server has it."""
    assert not compiled("self.nothing.at.all == 1")({}, None)


# Kinds of other people


def test_a_kind_of_somebody_elses_is_served_by_its_definition(workshop):
    """Defaults, patterns, bounds, rules, keyed lists and what may be anything."""
    status, made = ask(
        workshop, "POST", body=widget("one", color="red", min=1, port="http", extra={"any": [1, {"a": 2}]})
    )
    assert (status, made["spec"]["max"], made["spec"]["extra"]) == (201, 5, {"any": [1, {"a": 2}]})
    status, said = ask(workshop, "POST", body=widget("two", min=6))
    assert (status, said["details"]["causes"][0]["message"]) == (422, 'Invalid value: "object": min above max')
    parts = [{"name": str(number)} for number in range(4)]
    status, said = ask(workshop, "POST", body=widget("two", color="RED", min=11, port=1.5, parts=parts))
    reasons = {cause["field"]: cause["reason"] for cause in said["details"]["causes"]}
    assert status == 422
    assert reasons == {
        "spec.color": "FieldValueInvalid",
        "spec.min": "FieldValueInvalid",
        "spec.port": "FieldValueTypeInvalid",
        "spec.parts": "FieldValueTooMany",
        "<nil>": "FieldValueInvalid",
    }


def test_a_selectable_field_selects(workshop):
    """By equality; any other field does not."""
    for name, color in (("one", "red"), ("two", "blue")):
        ask(workshop, "POST", body=widget(name, color=color))
    said = ask(workshop, "GET", query={"fieldSelector": "spec.color=blue"}).said
    assert [each["metadata"]["name"] for each in said["items"]] == ["two"]
    assert ask(workshop, "GET", query={"fieldSelector": "spec.min=1"}).status == 400


def test_two_managers_share_a_keyed_list(workshop):
    """Each has its own items, and loses only those."""

    def apply(manager, *parts):
        query = {"fieldManager": manager}
        return ask(workshop, "PATCH", "one", widget("one", parts=list(parts)), query=query, content_type=APPLY)

    apply("ada", {"name": "a", "size": 1}, {"name": "b", "size": 2})
    said = apply("bob", {"name": "c", "size": 3}).said
    assert [each["name"] for each in said["spec"]["parts"]] == ["a", "b", "c"]
    status, said = apply("bob", {"name": "a", "size": 9})
    assert (status, said["details"]["causes"][0]["field"]) == (409, '.spec.parts[name="a"].size')
    said = apply("ada", {"name": "b", "size": 2}).said
    assert [each["name"] for each in said["spec"]["parts"]] == ["b", "c"]


def test_cells_follow_paths_with_filters_and_indexes(workshop):
    """What kubectl shows of conditions and of the first of several."""
    body = {"status": {"conditions": [{"type": "Live", "status": "No"}, {"type": "Ready", "status": "True"}]}}
    assert found_at(body, '.status.conditions[?(@.type=="Ready")].status') == ["True"]
    assert found_at(body, ".status.conditions[*].type") == ["Live", "Ready"]
    assert found_at(body, ".status.conditions[5].type") == found_at(body, ".nothing.here") == []
    ask(workshop, "POST", body=widget("one", parts=[{"name": "wheel"}]))
    accept = "application/json;as=Table;v=v1;g=meta.k8s.io"
    assert ask(workshop, "GET", Accept=accept).said["rows"][0]["cells"] == ["one", None, "wheel"]


def test_a_warning_is_a_header_whatever_the_field_is_called(tenant):
    """In UTF-8; what no header can hold is left out, and so is what would be too much."""
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


async def test_warnings_in_other_scripts_arrive_in_process_too(spot_api):
    """The same bytes as over a wire."""
    async with httpx.AsyncClient(transport=spot_api.transport, base_url="http://127.0.0.1") as client:
        organization = spot_api.world.organizations[0]
        headers = {"Authorization": f"Bearer {spot_api.world.identity.id_token(organization)}"}
        frame = {"apiVersion": "ngpc.rxt.io/v1", "kind": "CloudSpace", "metadata": {"name": "prod"}}
        spec = {"region": "us-central-ord-1", "kubernetesVersion": "1.31.1", "\u0100": 1}
        path = f"/apis/ngpc.rxt.io/v1/namespaces/{organization.namespace}/cloudspaces"
        answer = await client.post(path, json={**frame, "spec": spec}, headers=headers)
    assert "\u0100".encode() in dict(answer.headers.raw)[b"Warning"]


# Sets of fields

VALUES = st.recursive(
    st.sampled_from([0, 1, "x"]),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3))
def test_field_sets_survive_being_written_down(value):
    """FieldsV1 there and back."""
    for paths in (frozenset(nodes({}, value)), claimed({}, value)):
        assert paths_of(json.loads(json.dumps(tree(paths)))) == paths


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3),
    st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3),
)
def test_what_is_applied_is_there(live, config):
    """Whatever was there before; and giving all of it up leaves nothing of it."""
    both = merged({}, live, config)
    assert claimed({}, config) <= frozenset(nodes({}, both)) | claimed({}, both)
    left = without({}, config, claimed({}, config), frozenset())
    assert left == {}


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3),
    st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3),
)
def test_differences_are_those_of_two_whole_lists_of_fields(old, new):
    """What is not looked into for speed holds no difference."""
    before, after = nodes({}, old), nodes({}, new)
    found = Differences.between({}, old, new)
    assert found.removed == before.keys() - after.keys()
    assert found.written == {path for path, value in after.items() if path not in before or value != before[path]}


def test_a_name_in_a_path_may_be_spelled_with_escapes(tenant):
    """As clients do with what is no letter."""
    tenant.cloudspace()
    assert tenant.ask("GET", tenant.path("cloudspaces", "%70rod")).said["metadata"]["name"] == "prod"
    assert tenant.ask("GET", tenant.path("cloudspaces", "a%2Fb")).status == 404


@pytest.mark.parametrize("fields", [[], {"x:a": {}}, {"f:a": 1}])
def test_a_field_set_that_is_none_is_refused(fields):
    with pytest.raises(ValueError, match="fieldsV1"):
        paths_of(fields)


def test_paths_are_spelled_as_messages_name_them():
    path = ("f:metadata", "f:finalizers", 'v:"a/b"')
    assert spelled(path) == '.metadata.finalizers[="a/b"]'
    assert spelled(("f:spec", "f:parts", 'k:{"name":"a"}', "f:size")) == '.spec.parts[name="a"].size'


# Schemas, documents, ages


def test_defaults_reach_into_lists_and_maps():
    """Everywhere a schema has one."""
    schema = {
        "properties": {"list": {"items": {"properties": {"a": {"default": 1}}}}},
        "additionalProperties": {"properties": {"b": {"default": 2}}},
    }
    assert with_defaults(schema, {"list": [{}], "other": {}}) == {"list": [{"a": 1}], "other": {"b": 2}}


def test_unknown_fields_are_found_at_any_depth():
    """But not where anything may be."""
    spec = {"color": "red", "odd": 1, "parts": [{"name": "a", "odder": 2}], "extra": {"fine": 3}}
    assert sorted(unknown_fields(WIDGET.schema, {"spec": spec})) == ["spec.odd", "spec.parts[0].odder"]
    assert violations(WIDGET.schema, {"spec": {"color": "red"}}) == []


def test_a_document_refers_to_nothing_that_it_has_not():
    """Every reference of the v3 document has its schema."""
    text = json.dumps(document([WIDGET], "v1"))
    schemas = json.loads(text)["components"]["schemas"]
    named = {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert named == set(schemas) - {"com.example.v1.Widget"} | {"com.example.v1.Widget"}
    assert "#/definitions/" not in text


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0s"), (119, "119s"), (120, "2m"), (150, "2m30s"), (600, "10m"), (10_799, "179m"), (10_800, "3h"),
     (25_200, "7h"), (26_100, "7h15m"), (28_800, "8h"), (172_799, "47h"), (172_800, "2d"), (180_000, "2d2h"),
     (864_000, "10d"),
     (63_072_000, "2y"), (64_800_000, "2y20d"), (300_000_000, "9y")],
)  # fmt: skip
def test_ages_are_said_as_kubectl_says_them(seconds, said):
    assert age("2026-01-01T00:00:00Z", 1_767_225_600 + seconds) == said


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
def test_numbers_beyond_all_measure_are_answered(tenant, query, status):
    """None of them ends inside the store."""
    said = tenant.list("cloudspaces", **query)
    assert said.status == status
    assert "Internal error" not in json.dumps(said.said)


@pytest.mark.parametrize(
    ("metadata", "status"),
    [
        ({"generateName": None}, 201),
        ({"ownerReferences": [{"apiVersion": "v1", "kind": "X", "name": "n", "uid": [1]}]}, 400),
        ({"ownerReferences": [{"apiVersion": 5, "kind": 5, "name": 5, "uid": 5}]}, 400),
    ],
)
def test_metadata_of_wrong_types_is_refused_and_nulls_are_nothing(tenant, metadata, status):
    """As a server that decodes it would."""
    spec = {"region": "us-central-ord-1", "kubernetesVersion": "1.31.1"}
    answer = tenant.create("cloudspaces", "prod", spec, **metadata)
    assert answer.status == status
    assert "generateName" not in answer.said["metadata"]


def test_nobody_rents_more_servers_than_there_are(tenant):
    """However many are asked for."""
    tenant.cloudspace()
    spec = {"serverClass": "ch.vs1.large-ord", "cloudSpace": "prod", "desired": 1_808_744_826_939}
    tenant.create("ondemandnodepools", "0a6e2c1e-7a53-5c5e-9d7c-0f4a0a4b9a01", spec)
    tenant.spot.advance(120)
    pool = tenant.get("ondemandnodepools", "0a6e2c1e-7a53-5c5e-9d7c-0f4a0a4b9a01").said
    assert pool["status"]["reservedCount"] == 120
