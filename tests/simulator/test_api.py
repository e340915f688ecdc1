"""The simulated API: Kubernetes object semantics, the service's admission rules, the gateway."""

import base64
import json
from uuid import UUID, uuid5

import pytest

from rsspot.simulator.accounts.identity import LIFETIME
from rsspot.simulator.apiserver.store import LONGEST_LOG

POOL = "0a6e2c1e-7a53-5c5e-9d7c-0f4a0a4b9a01"
OTHER = "0a6e2c1e-7a53-5c5e-9d7c-0f4a0a4b9a02"
JSON_PATCH = "application/json-patch+json"
DENIED = 'admission webhook "vspotnodepool.ngpc.rxt.io" denied the request: '
FLOOR = "BidPrice validation failed: BidPrice must be greater than or equal to the "


@pytest.fixture
def prod(tenant):
    """A tenant with the cloudspace `prod`."""
    tenant.cloudspace()
    return tenant


@pytest.fixture
def pooled(prod):
    """A tenant with the cloudspace `prod` and a pool in it."""
    assert prod.pool(POOL).status == 201
    return prod


def causes(result):
    """The causes of a Status, except the one which reports that CEL rules were not evaluated."""
    return [cause for cause in result["details"]["causes"] if cause["field"] != "<nil>"]


def numbered(count):
    """Distinct pool names, sorted."""
    return sorted(str(uuid5(UUID(POOL), str(index))) for index in range(count))


def everything(tenant):
    """All stored objects."""
    return {plural: tenant.store.objects(plural) for plural in tenant.spot.world.definitions}


# Creation


def test_create_gives_an_object_its_identity(prod):
    """A new object has a uid, a version, generation 1 and a creation time in UTC."""
    status, result = prod.pool(POOL)
    metadata = result["metadata"]
    assert status == 201
    assert str(UUID(metadata["uid"])) == metadata["uid"]
    assert metadata["resourceVersion"].isdecimal()
    assert metadata["generation"] == 1
    assert metadata["creationTimestamp"] == prod.spot.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    assert metadata["namespace"] == prod.namespace


def test_create_fills_in_the_documented_defaults_of_a_pool(prod):
    """The service fills in empty maps, an empty list and disabled autoscaling."""
    spec = prod.pool(POOL).said["spec"]
    assert spec == {
        "serverClass": "ch.vs1.large-ord",
        "bidPrice": "0.02",
        "cloudSpace": "prod",
        "desired": 1,
        "autoscaling": {"enabled": False},
        "customAnnotations": {},
        "customLabels": {},
        "customTaints": [],
    }


def test_create_fills_in_the_documented_defaults_of_a_cloudspace(tenant):
    """HAControlPlane, cloud and deploymentType have defaults."""
    spec = tenant.cloudspace()["spec"]
    assert (spec["HAControlPlane"], spec["cloud"], spec["deploymentType"]) == (False, "default", "gen2")


def test_a_pool_is_labelled_with_and_owned_by_its_cloudspace(prod):
    """The server adds a label, an owner reference and a finalizer."""
    owner = prod.get("cloudspaces", "prod").said["metadata"]
    metadata = prod.pool(POOL).said["metadata"]
    assert metadata["labels"]["ngpc.rxt.io/cloudspace"] == "prod"
    reference = {"apiVersion": "ngpc.rxt.io/v1", "kind": "CloudSpace", "name": "prod", "uid": owner["uid"]}
    assert metadata["ownerReferences"] == [{**reference, "blockOwnerDeletion": True}]
    assert metadata["finalizers"]


def test_a_vm_pool_created_with_null_labels_is_labelled(tenant):
    """The service's own SDK sends `labels: null` for VM pools, and then lists them by label."""
    tenant.create("vmcloudspaces", "vms", {"region": "us-central-ord-1", "vmSshKeyRef": {"name": "key"}})
    spec = {"serverClass": "ch.vs1.large-ord", "vmCloudSpace": "vms", "desired": 1, "bidPrice": "0.02"}
    status, result = tenant.create("vmpools", POOL, spec, labels=None)
    assert status == 201, result
    assert result["metadata"]["labels"] == {"ngpc.rxt.io/vmcloudspace": "vms"}


def test_a_null_webhook_is_accepted(tenant):
    """Clients send `webhook: null` if there is no webhook."""
    spec = {"region": "us-central-ord-1", "kubernetesVersion": "1.31.1", "webhook": None}
    assert tenant.create("cloudspaces", "prod", spec).status == 201


def test_a_null_is_replaced_by_the_default(prod):
    """The server drops nulls from fields that are not nullable, and then fills in defaults."""
    status, result = prod.pool(POOL, customLabels=None)
    assert status == 201, result
    assert result["spec"]["customLabels"] == {}


def test_unknown_fields_are_dropped(prod):
    """A structural schema prunes unknown fields at every depth."""
    spec = prod.pool(POOL, surprise=1, autoscaling={"enabled": False, "mood": "good"}).said["spec"]
    assert "surprise" not in spec
    assert spec["autoscaling"] == {"enabled": False}


def test_a_status_sent_with_a_create_is_dropped(prod):
    """Tenants cannot write the status."""
    body = {"apiVersion": "ngpc.rxt.io/v1", "kind": "CloudSpace", "metadata": {"name": "second"}}
    spec = {"region": "us-central-ord-1", "kubernetesVersion": "1.31.1"}
    result = prod.ask("POST", prod.path("cloudspaces"), {**body, "spec": spec, "status": {"phase": "Ready"}}).said
    assert "status" not in result


def test_identity_sent_with_a_create_is_ignored(prod):
    """The server chooses the uid, the version and the generation."""
    sent = {"uid": POOL, "generation": 9}
    spec = {"region": "uk-lon-1", "kubernetesVersion": "1.31.1"}
    metadata = prod.create("cloudspaces", "second", spec, **sent).said["metadata"]
    assert [key for key, value in sent.items() if metadata[key] == value] == []


def test_an_object_of_another_kind_is_invalid(tenant):
    """The kind in the body must be that of the collection."""
    body = {"apiVersion": "ngpc.rxt.io/v1", "kind": "SpotNodePool", "metadata": {"name": "prod"}, "spec": {}}
    assert tenant.ask("POST", tenant.path("cloudspaces"), body).status == 422


def test_a_name_that_is_not_a_dns_name_is_invalid(tenant):
    """Names of custom resources are DNS names."""
    status, result = tenant.create("cloudspaces", "Bad_Name", {"region": "uk-lon-1", "kubernetesVersion": "1.31.1"})
    assert (status, result.get("reason")) == (422, "Invalid")


def test_labels_that_are_not_a_map_of_strings_are_refused(tenant):
    """Metadata is validated too: a stored object with invalid labels would break every list."""
    spec = {"region": "uk-lon-1", "kubernetesVersion": "1.31.1"}
    assert [tenant.create("cloudspaces", "prod", spec, labels=bad).status for bad in ("x", {"a": 1})] == [400, 400]


def test_a_body_that_is_not_json_is_a_bad_request(tenant):
    """The response is a Status, as for every other error."""
    status, result = tenant.ask("POST", tenant.path("cloudspaces"), b"{")
    assert (status, result["reason"]) == (400, "BadRequest")


# Refusals


def test_an_unknown_name_is_not_found(tenant):
    """The 404 names the resource and the object."""
    status, result = tenant.get("spotnodepools", POOL)
    assert status == 404
    assert result["kind"] == "Status"
    assert result["status"] == "Failure"
    assert result["reason"] == "NotFound"
    assert result["message"] == f'spotnodepools.ngpc.rxt.io "{POOL}" not found'
    assert result["details"] == {"name": POOL, "group": "ngpc.rxt.io", "kind": "spotnodepools"}
    assert result["code"] == 404


def test_a_name_can_be_used_once(pooled):
    """A second create with the same name is a 409 AlreadyExists."""
    status, result = pooled.pool(POOL)
    assert (status, result["reason"]) == (409, "AlreadyExists")
    assert result["message"] == f'spotnodepools.ngpc.rxt.io "{POOL}" already exists'


@pytest.mark.parametrize("bid", ["$0.02", "-0.02", "0.0201", "2e-2", "", ".02", "0.02\n", "٠.٠٢"])
def test_a_bid_has_at_most_three_decimals_and_nothing_else(prod, bid):
    """The message and the cause contain the documented text of the rule, word for word."""
    status, result = prod.pool(POOL, bidPrice=bid)
    rule = 'Invalid value: "string": bidPrice can only be a positive number up to three decimal places'
    assert status == 422, result
    assert result["reason"] == "Invalid"
    assert result["message"] == f'SpotNodePool.ngpc.rxt.io "{POOL}" is invalid: spec.bidPrice: {rule}'
    assert result["details"]["causes"] == [{"reason": "FieldValueInvalid", "message": rule, "field": "spec.bidPrice"}]


@pytest.mark.parametrize(
    ("spec", "field", "reason", "text"),
    [
        ({"desired": "3"}, "spec.desired", "FieldValueTypeInvalid", "must be of type integer"),
        ({"desired": True}, "spec.desired", "FieldValueTypeInvalid", "must be of type integer"),
        ({"bidPrice": 0.02}, "spec.bidPrice", "FieldValueTypeInvalid", "must be of type string"),
        ({"autoscaling": {}}, "spec.autoscaling.enabled", "FieldValueRequired", "Required value"),
        (
            {"customTaints": [{"key": "a", "effect": "Sometimes"}]},
            "spec.customTaints[0].effect",
            "FieldValueNotSupported",
            'Unsupported value: "Sometimes": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
        ),
    ],
)
def test_a_schema_violation_names_the_field(prod, spec, field, reason, text):
    """Wrong types, missing fields and values outside an enum are listed as causes of a 422."""
    status, result = prod.pool(POOL, **spec)
    (cause,) = causes(result)
    assert (status, cause["field"], cause["reason"]) == (422, field, reason)
    assert text in cause["message"]


def test_every_missing_field_is_a_cause(prod):
    """A refusal lists all problems, not only the first."""
    status, result = prod.create("spotnodepools", POOL, {"cloudSpace": "prod"})
    assert status == 422
    missing = {cause["field"] for cause in causes(result)}
    assert missing == {"spec.serverClass", "spec.desired", "spec.bidPrice"}


def test_the_deployment_type_is_immutable(prod):
    """The service enforces this with a CEL rule, so the refusal is a 422."""
    status, result = prod.patch("cloudspaces", "prod", {"spec": {"deploymentType": "gen1"}})
    assert status == 422
    assert "update to the deploymentType not allowed" in result["message"]


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (
            {"serverClass": "ch.vs1.medium-ord", "bidPrice": "0.02"},
            f"{FLOOR}market price of 0.025000, but got 0.020000",
        ),
        ({"bidPrice": "0.003"}, f"{FLOOR}minimum bid price of 0.010000, but got 0.003000"),
        ({"bidPrice": "0.05"}, "bid price 0.05 is not on the bid ladder"),
        ({"bidPrice": "0.015"}, "bid price 0.015 is not on the bid ladder"),
        (
            {"serverClass": "gp.bm2.medium-dfw"},
            "BidPrice validation failed: failed to parse serverclass min bid price while validating bid price: "
            'strconv.ParseFloat: parsing "": invalid syntax',
        ),
    ],
    ids=["market", "minimum", "ladder", "half cents", "no minimum"],
)
def test_a_bid_is_refused_with_the_services_messages(prod, spec, text):
    """The recorded messages of the bid checks, in their order: class has a minimum, market, minimum, ladder."""
    status, result = prod.pool(POOL, **spec)
    assert (status, result["reason"]) == (403, "Forbidden")
    assert result["message"] == DENIED + text


def test_the_market_price_is_checked_before_the_minimum(prod):
    """The refusal of a bid below both mentions the market price."""
    result = prod.pool(POOL, serverClass="gp.vs1.large-ord", bidPrice="0.001")
    assert result.message == f"{DENIED}{FLOOR}market price of 0.009000, but got 0.001000"


def test_an_extremely_long_bid_is_not_an_internal_error(prod):
    """Every number that the format allows is accepted or refused."""
    assert prod.pool(POOL, bidPrice="1" * 40).status in (201, 403)


@pytest.mark.parametrize(
    ("name", "spec", "text"),
    [
        ("workers", {}, "lowercase UUID"),
        (POOL, {"cloudSpace": "nowhere"}, "nowhere does not exist"),
        (POOL, {"desired": 0}, "greater than or equal to 1"),
        (POOL, {"serverClass": "xx.vs9.huge-ord"}, "xx.vs9.huge-ord does not exist"),
        (POOL, {"autoscaling": {"enabled": True, "minNodes": 3, "maxNodes": 2}}, "maxNodes"),
        (POOL, {"autoscaling": {"enabled": True, "minNodes": 0, "maxNodes": 2}}, "minNodes must be greater"),
    ],
)
def test_the_webhook_refuses_a_pool(prod, name, spec, text):
    """The refusal is a 403 whose message begins with the webhook's name."""
    status, result = prod.pool(name, **spec)
    assert (status, result["reason"]) == (403, "Forbidden")
    assert result["message"].startswith(DENIED)
    assert text in result["message"]


def test_one_pool_of_a_cloudspace_may_autoscale(pooled):
    """A second pool with autoscaling is refused, both on create and on update."""
    autoscaling = {"enabled": True, "minNodes": 1, "maxNodes": 3}
    assert pooled.patch("spotnodepools", POOL, {"spec": {"autoscaling": autoscaling}}).status == 200
    status, result = pooled.pool(OTHER, autoscaling=autoscaling)
    assert status == 403
    assert result["message"].startswith(DENIED)
    assert pooled.pool(OTHER).status == 201
    assert pooled.patch("spotnodepools", OTHER, {"spec": {"autoscaling": autoscaling}}).status == 403


def test_a_highly_available_control_plane_needs_a_hosted_cloudspace(tenant):
    """On the service, HAControlPlane without type hosted is a 422."""
    spec = {"region": "us-central-ord-1", "kubernetesVersion": "1.31.1", "HAControlPlane": True}
    assert tenant.create("cloudspaces", "hosted", {**spec, "type": "hosted"}).status == 201
    assert tenant.create("cloudspaces", "plain", spec).status == 422


def test_a_cloudspace_needs_a_region_that_exists(tenant):
    """The refusal names the cloudspace webhook."""
    status, result = tenant.create("cloudspaces", "prod", {"region": "mars-1", "kubernetesVersion": "1.31.1"})
    assert status == 403
    assert result["message"].startswith('admission webhook "vcloudspace.ngpc.rxt.io" denied the request: ')


@pytest.mark.parametrize(
    ("plural", "name", "spec"),
    [
        ("spotnodepools", POOL, {"serverClass": "gp.vs1.large-ord"}),
        ("spotnodepools", POOL, {"cloudSpace": "second"}),
        ("cloudspaces", "prod", {"region": "uk-lon-1"}),
        ("cloudspaces", "prod", {"cloud": "other"}),
        ("cloudspaces", "prod", {"type": "hosted"}),
    ],
)
def test_some_fields_are_immutable(pooled, plural, name, spec):
    """An update that changes one is refused and changes nothing."""
    pooled.cloudspace("second")
    before = pooled.get(plural, name)
    status, result = pooled.patch(plural, name, {"spec": spec})
    assert status == 403
    assert f"spec.{next(iter(spec))}" in result["message"]
    assert pooled.get(plural, name) == before


# Writes


def test_a_merge_patch_merges_maps_and_replaces_lists(pooled):
    """RFC 7386: a null removes a key, and a list is replaced as a whole."""
    taint = {"key": "a", "effect": "NoSchedule"}
    pooled.patch("spotnodepools", POOL, {"spec": {"customLabels": {"a": "1", "b": "2"}, "customTaints": [taint]}})
    other = {"key": "b", "effect": "NoExecute"}
    patch = {"spec": {"customLabels": {"a": None, "c": "3"}, "customTaints": [other]}}
    status, result = pooled.patch("spotnodepools", POOL, patch)
    assert status == 200
    assert result["spec"]["customLabels"] == {"b": "2", "c": "3"}
    assert result["spec"]["customTaints"] == [other]


def test_a_json_patch_is_applied(pooled):
    """RFC 6902 operations are applied in order."""
    patch = [
        {"op": "test", "path": "/spec/desired", "value": 1},
        {"op": "replace", "path": "/spec/desired", "value": 4},
    ]
    status, result = pooled.patch("spotnodepools", POOL, patch, JSON_PATCH)
    assert (status, result["spec"]["desired"]) == (200, 4)


def test_a_json_patch_whose_test_fails_changes_nothing(pooled):
    """A failed test operation refuses the whole patch."""
    patch = [{"op": "replace", "path": "/spec/desired", "value": 4}, {"op": "test", "path": "/kind", "value": "Cat"}]
    assert pooled.patch("spotnodepools", POOL, patch, JSON_PATCH).status == 422
    assert pooled.get("spotnodepools", POOL).said["spec"]["desired"] == 1


@pytest.mark.parametrize("content_type", ["application/strategic-merge-patch+json", "application/json"])
def test_other_patches_are_an_unsupported_media_type(pooled, content_type):
    """Custom resources do not support strategic merge patches, and plain JSON is not a patch type."""
    status, result = pooled.patch("spotnodepools", POOL, {"spec": {"desired": 2}}, content_type)
    assert (status, result["reason"]) == (415, "UnsupportedMediaType")


def test_a_patch_with_the_live_version_is_accepted(pooled):
    """Optimistic concurrency: the live version in a patch is no conflict."""
    version = pooled.get("spotnodepools", POOL).said["metadata"]["resourceVersion"]
    patch = {"metadata": {"resourceVersion": version}, "spec": {"desired": 2}}
    assert pooled.patch("spotnodepools", POOL, patch).status == 200


def test_a_stale_version_is_a_conflict_and_writes_nothing(pooled):
    """The message is the documented one."""
    patch = {"metadata": {"resourceVersion": "1"}, "spec": {"desired": 2}}
    before = pooled.get("spotnodepools", POOL)
    status, result = pooled.patch("spotnodepools", POOL, patch)
    assert (status, result["reason"]) == (409, "Conflict")
    assert result["message"] == (
        f'Operation cannot be fulfilled on spotnodepools.ngpc.rxt.io "{POOL}": '
        "the object has been modified; please apply your changes to the latest version and try again"
    )
    assert pooled.get("spotnodepools", POOL) == before


def test_a_version_that_is_not_a_number_is_an_internal_error(pooled):
    """The service answers 500 with Go's error message."""
    status, result = pooled.patch("spotnodepools", POOL, {"metadata": {"resourceVersion": "latest"}})
    assert status == 500
    assert result["message"] == 'strconv.ParseUint: parsing "latest": invalid syntax'


def test_a_patch_that_changes_nothing_keeps_the_version(pooled):
    """A no-op writes nothing."""
    before = pooled.get("spotnodepools", POOL)
    assert pooled.patch("spotnodepools", POOL, {"spec": {"desired": 1}}) == before
    assert pooled.get("spotnodepools", POOL) == before


def test_the_generation_counts_changes_of_the_spec_only(pooled):
    """A new label changes the version; a new spec also changes the generation."""
    labelled = pooled.patch("spotnodepools", POOL, {"metadata": {"labels": {"a": "b"}}}).said["metadata"]
    scaled = pooled.patch("spotnodepools", POOL, {"spec": {"desired": 2}}).said["metadata"]
    assert (labelled["generation"], scaled["generation"]) == (1, 2)
    assert 0 < int(labelled["resourceVersion"]) < int(scaled["resourceVersion"])


def test_the_generation_counts_changes_by_controllers_too(prod):
    """A cloudspace's list of pools is part of its spec, and a controller writes it."""
    assert prod.get("cloudspaces", "prod").said["metadata"]["generation"] == 1
    prod.pool(POOL)
    result = prod.get("cloudspaces", "prod").said
    assert result["spec"]["bidRequests"] == [POOL]
    assert result["metadata"]["generation"] == 2


def test_controllers_bump_the_version_soon_after_a_write(pooled):
    """A version is stale after a few seconds, as on the service."""
    before = pooled.get("spotnodepools", POOL).said
    pooled.spot.advance(5)
    after = pooled.get("spotnodepools", POOL).said
    assert int(after["metadata"]["resourceVersion"]) > int(before["metadata"]["resourceVersion"])
    assert (after["spec"], after["metadata"]["generation"]) == (before["spec"], 1)


def test_tenants_cannot_write_a_status(pooled):
    """A status in a patch is ignored, and the subresource is forbidden."""
    pooled.patch("spotnodepools", POOL, {"status": {"wonCount": 99}})
    assert "wonCount" not in pooled.get("spotnodepools", POOL).said.get("status", {})
    path = pooled.path("spotnodepools", POOL) + "/status"
    assert pooled.ask("PUT", path, {}).status == 403


def test_a_put_needs_a_version(pooled):
    """An update without a resourceVersion is invalid."""
    live = pooled.get("spotnodepools", POOL).said
    del live["metadata"]["resourceVersion"]
    status, result = pooled.ask("PUT", pooled.path("spotnodepools", POOL), live)
    assert status == 422
    assert "metadata.resourceVersion" in result["message"]
    assert "must be specified for an update" in result["message"]


def test_a_put_replaces_the_object(pooled):
    """Fields missing from a PUT are removed or reset to their defaults."""
    pooled.patch("spotnodepools", POOL, {"spec": {"customLabels": {"a": "1"}}})
    live = pooled.get("spotnodepools", POOL).said
    del live["spec"]["customLabels"]
    status, result = pooled.ask("PUT", pooled.path("spotnodepools", POOL), live)
    assert (status, result["spec"]["customLabels"]) == (200, {})


def test_a_put_with_a_stale_version_is_a_conflict(pooled):
    """Another write came first."""
    live = pooled.get("spotnodepools", POOL).said
    pooled.patch("spotnodepools", POOL, {"spec": {"desired": 5}})
    assert pooled.ask("PUT", pooled.path("spotnodepools", POOL), live).status == 409


@pytest.mark.parametrize(
    "patch",
    [
        {"metadata": {"name": OTHER}},
        {"metadata": {"name": None}},
        {"metadata": {"namespace": "org-of-somebody-else"}},
        {"metadata": None},
        {"kind": "Cat"},
        {"apiVersion": "v1"},
    ],
    ids=["another name", "no name", "another namespace", "no metadata", "another kind", "another version"],
)
def test_an_update_cannot_change_an_objects_identity(pooled, patch):
    """A different name, namespace or kind than in the URL is ignored or refused, but never written."""
    before, version = pooled.get("spotnodepools", POOL), pooled.store.version()
    assert pooled.patch("spotnodepools", POOL, patch).status in (200, 400, 409, 422)
    assert pooled.get("spotnodepools", POOL) == before
    assert pooled.store.version() == version


def test_a_dry_run_changes_nothing(pooled):
    """Each write is answered as usual and leaves no trace."""
    before, path = everything(pooled), pooled.path("spotnodepools", POOL)
    query = {"dryRun": "All"}
    spec = {"region": "uk-lon-1", "kubernetesVersion": "1.31.1"}
    assert pooled.create("cloudspaces", "second", spec, query=query).status == 201
    assert pooled.patch("spotnodepools", POOL, {"spec": {"desired": 9}}, query=query).said["spec"]["desired"] == 9
    assert pooled.ask("DELETE", path, query=query).status == 200
    assert pooled.ask("DELETE", pooled.path("cloudspaces"), query=query).status == 200
    assert everything(pooled) == before


def test_a_dry_run_refuses_what_would_be_refused(prod):
    """Admission applies to dry runs too."""
    assert prod.create("spotnodepools", "workers", {}, query={"dryRun": "All"}).status == 422


def test_a_dry_run_in_delete_options_deletes_nothing(pooled):
    """`kubectl delete --dry-run=server` sends the option in the body."""
    before = everything(pooled)
    assert pooled.delete("spotnodepools", POOL, {"kind": "DeleteOptions", "dryRun": ["All"]}).status == 200
    assert everything(pooled) == before


# Lists


@pytest.fixture
def labelled(prod):
    """A tenant with three pools, labeled tier=web, tier=batch and not at all; and the tier of each by name."""
    names = dict(zip(("web", "batch", "none"), numbered(3), strict=True))
    for tier, name in names.items():
        assert prod.pool(name).status == 201
        if tier != "none":
            prod.patch("spotnodepools", name, {"metadata": {"labels": {"tier": tier}}})
    return prod, {name: tier for tier, name in names.items()}


@pytest.mark.parametrize(
    ("selector", "tiers"),
    [
        ("tier=web", {"web"}),
        ("tier==web", {"web"}),
        ("tier!=web", {"batch", "none"}),
        ("tier in (web, batch)", {"web", "batch"}),
        ("tier notin (web)", {"batch", "none"}),
        ("tier", {"web", "batch"}),
        ("!tier", {"none"}),
        ("tier,tier!=web", {"batch"}),
        ("ngpc.rxt.io/cloudspace=prod,tier in (web)", {"web"}),
        ("ngpc.rxt.io/cloudspace=other", set()),
    ],
)
def test_a_label_selector_chooses(labelled, selector, tiers):
    """By equality, inequality, sets and existence, and by combinations of them."""
    tenant, tier_of = labelled
    assert {tier_of[name] for name in tenant.names("spotnodepools", labelSelector=selector)} == tiers


def test_a_field_selector_chooses_by_name(labelled):
    """metadata.name can be compared for equality and inequality; other fields are a 400."""
    tenant, tier_of = labelled
    name = next(iter(tier_of))
    assert tenant.names("spotnodepools", fieldSelector=f"metadata.name={name}") == [name]
    assert len(tenant.names("spotnodepools", fieldSelector=f"metadata.name!={name}")) == 2
    assert tenant.list("spotnodepools", fieldSelector="spec.desired=1").status == 400


@pytest.mark.parametrize("selector", ["", "ngpc.rxt.io/cloudspace=prod"])
def test_pagination_returns_every_object_once(prod, selector):
    """With limit and continue, with and without a selector."""
    for name in numbered(7):
        prod.pool(name)
    met, left, query = [], [], {"limit": 3, "labelSelector": selector}
    for _ in range(3):
        result = prod.list("spotnodepools", **query).said
        met += [each["metadata"]["name"] for each in result["items"]]
        left.append(result["metadata"].get("remainingItemCount", 0))
        query["continue"] = result["metadata"].get("continue", "")
    assert met == numbered(7)
    # The number of remaining objects is known only without a selector.
    assert left == ([0, 0, 0] if selector else [4, 1, 0])
    assert not query["continue"]


def test_a_page_token_expires(prod):
    """A late request for the next page is a 410 Expired, and the list has to start again."""
    for name in numbered(2):
        prod.pool(name)
    token = prod.list("spotnodepools", limit=1).said["metadata"]["continue"]
    prod.spot.advance(3600)
    status, result = prod.list("spotnodepools", **{"limit": 1, "continue": token})
    assert (status, result["reason"]) == (410, "Expired")


def test_an_invalid_page_token_is_a_bad_request(prod):
    """Neither garbage nor an incomplete token is accepted."""
    tokens = ("garbage", base64.urlsafe_b64encode(b"5").decode())
    assert [prod.list("spotnodepools", **{"limit": 1, "continue": token}).status for token in tokens] == [400, 400]


def test_a_list_has_the_current_version(pooled):
    """A watch can begin at the list's resourceVersion."""
    result = pooled.list("spotnodepools").said
    assert result["kind"] == "SpotNodePoolList"
    assert result["metadata"]["resourceVersion"] == str(pooled.store.version())


def test_a_list_across_all_namespaces_covers_the_tenants_own(pooled):
    """`kubectl get -A` requests such a list."""
    assert len(pooled.ask("GET", "/apis/ngpc.rxt.io/v1/spotnodepools").said["items"]) == 1


def test_a_list_can_be_a_table(pooled):
    """It has what kubectl prints: columns, cells and the metadata of each row."""
    accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
    result = pooled.ask("GET", pooled.path("spotnodepools"), Accept=accept).said
    assert (result["kind"], result["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    columns = [column["name"] for column in result["columnDefinitions"]]
    (row,) = result["rows"]
    assert len(row["cells"]) == len(columns)
    shown = dict(zip(columns, row["cells"], strict=True))
    assert (shown["Name"], shown["CloudSpace"], shown["Bid"], shown["Desired"]) == (POOL, "prod", "0.02", 1)
    assert row["object"]["metadata"]["name"] == POOL


@pytest.mark.parametrize("plural", ["regions", "serverclasses"])
def test_objects_of_the_operators_are_read_only(tenant, plural):
    """All tenants can read regions and server classes, and no tenant can write them."""
    path = f"/apis/ngpc.rxt.io/v1/{plural}"
    first = tenant.ask("GET", path).said["items"][0]["metadata"]["name"]
    assert tenant.ask("GET", f"{path}/{first}").status == 200
    assert tenant.ask("DELETE", f"{path}/{first}").status == 403
    assert tenant.ask("DELETE", path).status == 403


# Deletion


def test_a_delete_completes_when_the_finalizers_are_removed(pooled):
    """The object first has a deletionTimestamp; some time later it is a 404."""
    status, result = pooled.delete("spotnodepools", POOL)
    assert status == 200
    assert result["metadata"]["deletionTimestamp"]
    assert pooled.get("spotnodepools", POOL).said["metadata"]["deletionTimestamp"]
    pooled.spot.advance(300)
    assert pooled.get("spotnodepools", POOL).status == 404


def test_a_second_delete_changes_nothing(pooled):
    """Deleting an object that is already being deleted has no effect and gets the same answer."""
    first = pooled.delete("spotnodepools", POOL)
    assert pooled.delete("spotnodepools", POOL) == first


def test_a_delete_can_have_a_uid_precondition(pooled):
    """A failed precondition is a conflict and deletes nothing."""
    uid = pooled.get("spotnodepools", POOL).said["metadata"]["uid"]
    status, result = pooled.delete("spotnodepools", POOL, {"preconditions": {"uid": OTHER}})
    assert (status, result["reason"]) == (409, "Conflict")
    assert "deletionTimestamp" not in pooled.get("spotnodepools", POOL).said["metadata"]
    assert pooled.delete("spotnodepools", POOL, {"preconditions": {"uid": uid}}).status == 200


def test_a_delete_waits_for_other_finalizers(pooled):
    """The service's controller removes only its own finalizer."""
    finalizers = pooled.get("spotnodepools", POOL).said["metadata"]["finalizers"]
    patch = {"metadata": {"finalizers": [*finalizers, "example.com/hold"]}}
    assert pooled.patch("spotnodepools", POOL, patch).status == 200
    pooled.delete("spotnodepools", POOL)
    pooled.spot.advance(300)
    assert pooled.get("spotnodepools", POOL).said["metadata"].get("finalizers") == ["example.com/hold"]
    pooled.patch("spotnodepools", POOL, {"metadata": {"finalizers": []}})
    assert pooled.get("spotnodepools", POOL).status == 404


def test_deleting_a_cloudspace_deletes_its_pools(pooled):
    """Its pools are removed first, then the cloudspace; pools of other cloudspaces stay."""
    pooled.cloudspace("second")
    pooled.pool(OTHER, cloudSpace="second")
    assert pooled.delete("cloudspaces", "prod").said["status"]["phase"] == "Deleting"
    assert pooled.get("spotnodepools", POOL).said["metadata"]["deletionTimestamp"]
    pooled.spot.advance(600)
    assert pooled.names("cloudspaces") == ["second"]
    assert pooled.names("spotnodepools") == [OTHER]


def test_a_deleted_pool_is_removed_from_its_cloudspace(pooled):
    """The pool disappears from bidRequests."""
    pooled.delete("spotnodepools", POOL)
    pooled.spot.advance(300)
    assert pooled.get("cloudspaces", "prod").said["spec"]["bidRequests"] == []


@pytest.mark.parametrize("age", [1.0, 20.0, 35.0])
def test_a_cloudspace_stays_in_deleting_until_it_is_gone(tenant, age):
    """No pending phase change overwrites the phase Deleting."""
    tenant.cloudspace()
    tenant.spot.advance(age)
    tenant.delete("cloudspaces", "prod")
    since = tenant.store.version()
    tenant.spot.advance(600)
    events = tenant.watch("cloudspaces", since)
    assert {event["object"]["status"]["phase"] for event in events} == {"Deleting"}
    assert events[-1]["type"] == "DELETED"


def test_a_collection_is_deleted_by_selector(labelled):
    """DELETE without a name deletes all objects that the selector matches."""
    tenant, tier_of = labelled
    tenant.ask("DELETE", tenant.path("spotnodepools"), query={"labelSelector": "tier=web"})
    tenant.spot.advance(300)
    assert {tier_of[name] for name in tenant.names("spotnodepools")} == {"batch", "none"}


def test_a_collection_delete_without_a_selector_deletes_everything(labelled):
    """In the tenant's namespace."""
    tenant, _ = labelled
    assert tenant.ask("DELETE", tenant.path("spotnodepools")).status == 200
    tenant.spot.advance(300)
    assert tenant.names("spotnodepools") == []


# Watches


def test_a_watch_reports_changes_since_a_version(prod):
    """Additions, modifications and deletions, in order and with increasing versions."""
    since = prod.store.version()
    prod.pool(POOL)
    prod.patch("spotnodepools", POOL, {"spec": {"desired": 2}})
    prod.delete("spotnodepools", POOL)
    prod.spot.advance(300)
    events = prod.watch("spotnodepools", since)
    kinds = [event["type"] for event in events]
    assert kinds == ["ADDED", *["MODIFIED"] * (len(kinds) - 2), "DELETED"]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in events]
    assert versions == sorted(set(versions))
    assert versions[0] > since


def test_a_watch_without_a_version_begins_with_existing_objects(pooled):
    """Synthetic ADDED events come first."""
    (event,) = pooled.watch("spotnodepools", "")
    assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", POOL)


def test_a_watch_reports_only_its_own_kind(pooled):
    """A watch of pools does not report changes of cloudspaces."""
    since = pooled.store.version()
    pooled.cloudspace("second")
    assert pooled.watch("spotnodepools", since) == []
    assert [event["object"]["metadata"]["name"] for event in pooled.watch("cloudspaces", since)] == ["second"]


def test_a_watch_with_a_selector_reports_objects_that_no_longer_match(labelled):
    """Such an object is reported as DELETED, and a newly matching one as ADDED."""
    tenant, tier_of = labelled
    name = next(name for name, tier in tier_of.items() if tier == "web")
    since = tenant.store.version()
    tenant.patch("spotnodepools", name, {"metadata": {"labels": {"tier": "batch"}}})
    left = tenant.watch("spotnodepools", since, labelSelector="tier=web")
    joined = tenant.watch("spotnodepools", since, labelSelector="tier=batch")
    assert [event["type"] for event in left] == ["DELETED"]
    assert [event["type"] for event in joined] == ["ADDED"]


def test_a_watch_from_a_version_that_is_too_old_is_expired(tenant):
    """The event log is limited; the client must list again."""
    tenant.cloudspace()
    body = tenant.get("cloudspaces", "prod").said
    with tenant.store.transaction():
        for _ in range(LONGEST_LOG + 1500):
            tenant.store.put("cloudspaces", body)
    (event,) = tenant.watch("cloudspaces", "1001")
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")


def test_a_watch_with_a_bad_selector_is_a_bad_request(tenant):
    """It is refused before the stream begins."""
    assert tenant.respond("GET", tenant.path("cloudspaces"), query={"watch": "1", "labelSelector": "((("}).status == 400


# Authorization


def test_another_organizations_namespace_is_forbidden(tenant):
    """Every request is refused with a Status."""
    path = "/apis/ngpc.rxt.io/v1/namespaces/org-other/cloudspaces"
    for method, where in (("GET", path), ("POST", path), ("DELETE", path), ("GET", f"{path}/prod")):
        status, result = tenant.ask(method, where, {} if method == "POST" else None)
        assert (status, result["kind"], result["reason"]) == (403, "Status", "Forbidden")


@pytest.mark.parametrize(
    ("authorization", "text"),
    [
        (None, "Jwt is missing"),
        ("Bearer opaque-access-token", "Jwt is not in the form of Header.Payload.Signature"),
        ("Bearer a.b.c", "Jwt verification fails"),
        ("Bearer a.b.ä", ""),
    ],
)
def test_the_gateway_answers_in_plain_text(tenant, authorization, text):
    """A request without a valid token does not reach Kubernetes."""
    response = tenant.respond("GET", tenant.path("cloudspaces"), Authorization=authorization)
    assert (response.status, response.content_type) == (401, "text/plain")
    assert text in response.body.decode()


def test_a_token_with_a_changed_claim_is_refused(tenant):
    """The signature covers the claims."""
    header, payload, signature = tenant.bearer.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    forged = base64.urlsafe_b64encode(json.dumps({**claims, "org_id": "org_x"}).encode()).decode().rstrip("=")
    answer = tenant.ask("GET", tenant.path("cloudspaces"), Authorization=f"Bearer {header}.{forged}.{signature}")
    assert answer.status == 401


def test_a_token_expires(tenant):
    """The gateway refuses it after its lifetime."""
    tenant.spot.advance(LIFETIME - 1)
    assert tenant.list("cloudspaces").status == 200
    tenant.spot.advance(1)
    assert tenant.list("cloudspaces") == (401, "Jwt is expired")


def test_the_token_endpoint_accepts_the_refresh_token_grant(tenant):
    """As on the service, the API accepts the id_token but not the access_token."""
    form = f"grant_type=refresh_token&client_id=x&refresh_token={tenant.organization.refresh_token}".encode()
    status, result = tenant.ask("POST", "/oauth/token", form, Authorization=None)
    assert (status, result["expires_in"], result["token_type"]) == (200, 86400, "Bearer")
    for token, expected in (("id_token", 200), ("access_token", 401)):
        answer = tenant.ask("GET", tenant.path("cloudspaces"), Authorization=f"Bearer {result[token]}")
        assert answer.status == expected


def test_a_wrong_refresh_token_is_denied(tenant):
    """The response is the documented one."""
    answer = tenant.ask("POST", "/oauth/token", b"grant_type=refresh_token&refresh_token=wrong", Authorization=None)
    assert answer == (401, {"error": "access_denied", "error_description": "Unauthorized"})


def test_the_organizations_endpoint_gives_the_namespace(tenant):
    """The namespace is the id in lower case with dashes."""
    (result,) = tenant.ask("GET", "/apis/auth.ngpc.rxt.io/v1/organizations").said["organizations"]
    assert result["metadata"]["namespace"] == result["id"].lower().replace("_", "-") == tenant.namespace
