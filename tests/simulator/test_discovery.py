"""Tests of discovery, namespaces and reviews: a caller finds out what is served and what they may do with it."""

import json

import pytest

from rsspot.simulator.accounts.people import ADMIN, VIEWER, Caller, Person, Tenant
from rsspot.simulator.apiserver.protobuf import MAGIC, field

AUTHORIZATION = "authorization.k8s.io/v1"
ACCESS = f"/apis/{AUTHORIZATION}/selfsubjectaccessreviews"
RULES = f"/apis/{AUTHORIZATION}/selfsubjectrulesreviews"
WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
NAMESPACES = "/api/v1/namespaces"
PROTOBUF = "application/vnd.kubernetes.protobuf"
METHODS = {"create": "POST", "update": "PUT", "patch": "PATCH", "delete": "DELETE", "deletecollection": "DELETE"}


@pytest.fixture
def two(new_tenant):
    """A tenant beside another one; ada administers the first organization, bob may only read it."""
    acme, other = Tenant("org_Acme", "acme", "a"), Tenant("org_Other", "other", "o")
    people = [
        Person("ada@example.com", {acme.id: ADMIN}),
        Person("bob@example.com", {acme.id: VIEWER}),
        Person("eve@example.com", {other.id: ADMIN}),
    ]
    return new_tenant(organizations=[acme, other], people=people)


def as_person(tenant, email):
    """Act as a member of the tenant's organization from now on."""
    person = next(each for each in tenant.spot.world.identity.accounts.people if each.email == email)
    tenant.bearer = tenant.spot.world.identity.id_token(Caller(person, tenant.organization))


def aggregated(tenant, root, version="v2"):
    """The aggregated discovery of a root."""
    accepted = f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList,application/json"
    response = tenant.respond("GET", root, Accept=accepted)
    assert response.content_type.endswith("as=APIGroupDiscoveryList")
    return json.loads(response.body)["items"]


def legacy(tenant):
    """The older form of discovery: (group version, resource) -> (kind, namespaced, verbs, short names)."""
    versions = {version: f"/api/{version}" for version in tenant.ask("GET", "/api").said["versions"]}
    for group in tenant.ask("GET", "/apis").said["groups"]:
        assert tenant.ask("GET", f"/apis/{group['name']}").said["versions"] == group["versions"]
        versions |= {each["groupVersion"]: f"/apis/{each['groupVersion']}" for each in group["versions"]}
    found = {}
    for version, path in versions.items():
        listed = tenant.ask("GET", path).said
        assert listed["groupVersion"] == version
        for each in listed["resources"]:
            about = (each["kind"], each["namespaced"], each["verbs"], each.get("shortNames", []))
            found[version, each["name"]] = about
    return found


@pytest.mark.parametrize("version", ["v2", "v2beta1"])
def test_both_forms_of_discovery_say_the_same(tenant, version):
    """Groups, versions, kinds, scopes, verbs, short names and subresources."""
    found = {}
    for group in [*aggregated(tenant, "/api", version), *aggregated(tenant, "/apis", version)]:
        for served in group["versions"]:
            name = "/".join(filter(None, (group["metadata"].get("name"), served["version"])))
            for each in served["resources"]:
                kind, namespaced = each["responseKind"]["kind"], each["scope"] == "Namespaced"
                found[name, each["resource"]] = (kind, namespaced, each["verbs"], each.get("shortNames", []))
                for inner in each.get("subresources", ()):
                    about = (inner["responseKind"]["kind"], namespaced, inner["verbs"], [])
                    found[name, f"{each['resource']}/{inner['subresource']}"] = about
    assert found == legacy(tenant)
    assert found["v1", "namespaces"] == ("Namespace", False, ["get", "list", "watch"], ["ns"])
    assert found[AUTHORIZATION, "selfsubjectaccessreviews"] == ("SelfSubjectAccessReview", False, ["create"], [])


def test_the_openapi_documents_cover_discovery(tenant):
    """The index of v3 names every group and version, and each document has its operations, as v2 has."""
    whole = tenant.ask("GET", "/openapi/v2").said
    index = tenant.ask("GET", "/openapi/v3").said["paths"]
    roots = {version: "api/v1" if version == "v1" else f"apis/{version}" for version, _ in legacy(tenant)}
    assert set(index) == set(roots.values())
    for link in index.values():
        document = tenant.ask("GET", link["serverRelativeURL"].partition("?")[0]).said
        assert document["paths"]
        assert {path: set(item) for path, item in document["paths"].items()}.items() <= {
            path: set(item) for path, item in whole["paths"].items()
        }.items()
    assert "io.k8s.api.core.v1.Namespace" in whole["definitions"]
    assert whole["paths"][NAMESPACES]["get"]["operationId"] == "listCoreV1Namespace"


def test_a_tenant_sees_one_namespace(two):
    """That of the organization: in a list, by name and with selectors."""
    (listed,) = two.ask("GET", NAMESPACES).said["items"]
    assert (listed["metadata"]["name"], listed["status"]) == ("org-acme", {"phase": "Active"})
    assert two.ask("GET", f"{NAMESPACES}/org-acme").said == listed
    selected = {"labelSelector": "kubernetes.io/metadata.name=org-acme", "fieldSelector": "metadata.name!=org-other"}
    assert len(two.ask("GET", NAMESPACES, query=selected).said["items"]) == 1
    assert two.ask("GET", NAMESPACES, query={"fieldSelector": "metadata.name=org-other"}).said["items"] == []


def test_another_namespace_is_forbidden_whether_it_exists_or_not(two):
    """So that nobody learns which organizations there are."""
    answers = [two.ask("GET", f"{NAMESPACES}/{name}") for name in ("org-other", "org-nobody")]
    assert [answer.status for answer in answers] == [403, 403]
    where = 'cannot get resource "namespaces" in API group "" in the namespace "org-other"'
    assert answers[0].message == f'namespaces "org-other" is forbidden: User "ada@example.com" {where}'


def test_a_watch_of_namespaces_covers_the_tenants_own(two):
    """From the beginning, and as a table."""
    query = {"watch": "true", "timeoutSeconds": "60"}
    stream = two.respond("GET", NAMESPACES, query=query).stream
    event = json.loads(next(stream))
    assert (event["type"], event["object"]["metadata"]["name"], next(stream)) == ("ADDED", "org-acme", b"")
    table = two.ask("GET", NAMESPACES, Accept="application/json;as=Table;g=meta.k8s.io;v=v1").said
    assert [row["cells"][:2] for row in table["rows"]] == [["org-acme", "Active"]]


@pytest.mark.parametrize("verb", METHODS)
def test_namespaces_are_read_only(two, verb):
    """Whoever asks, even in their own."""
    path = NAMESPACES if verb in ("create", "deletecollection") else f"{NAMESPACES}/org-acme"
    document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "org-acme"}}
    answer = two.ask(METHODS[verb], path, document, content_type="application/merge-patch+json")
    assert (answer.status, answer.said["reason"]) == (403, "Forbidden")
    assert f'cannot {verb} resource "namespaces"' in answer.message


def test_a_stored_world_knows_new_organizations(new_tenant, tmp_path):
    """Their namespaces are added when it is opened; those that it has keep their identity."""
    first = new_tenant(path=tmp_path / "state.db")
    before = first.ask("GET", NAMESPACES).said["items"]
    first.spot.world.close()
    both = [Tenant("org_New", "new", "n"), first.organization]
    again = new_tenant(path=tmp_path / "state.db", organizations=both)
    assert [item["metadata"]["name"] for item in again.ask("GET", NAMESPACES).said["items"]] == ["org-new"]
    again.bearer = again.spot.world.identity.id_token(first.organization)
    assert again.ask("GET", NAMESPACES).said["items"] == before


def allowed(tenant, **attributes):
    """What an access review answers."""
    document = {"apiVersion": AUTHORIZATION, "kind": "SelfSubjectAccessReview"}
    answer = tenant.ask("POST", ACCESS, {**document, "spec": {"resourceAttributes": attributes}})
    assert answer.status == 201
    return answer.said["status"]["allowed"]


def permitted(tenant, definition, verb, namespace):
    """Whether the API itself permits a request, as far as it gets before it looks at the body."""
    where = f"namespaces/{namespace}/{definition.plural}" if definition.namespaced else definition.plural
    path = f"{definition.root}/{where}"
    if verb in ("get", "update", "patch", "delete"):
        path += f"/{namespace if definition.per_tenant else 'nobody'}"
    query = {"watch": "true"} if verb == "watch" else {"dryRun": "All"} if verb in METHODS else {}
    return tenant.respond(METHODS.get(verb, "GET"), path, query=query).status != 403


@pytest.mark.parametrize("email", ["ada@example.com", "bob@example.com"])
@pytest.mark.parametrize("namespace", ["org-acme", "org-other"])
def test_an_access_review_agrees_with_the_api(two, email, namespace):
    """For every kind and verb, in the own namespace and in another one."""
    as_person(two, email)
    for definition in two.spot.world.definitions.values():
        about = {"group": definition.group, "resource": definition.plural, "namespace": namespace}
        if definition.per_tenant:
            about["name"] = namespace
        for verb in ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"):
            asked = {**about, "name": ""} if verb in ("list", "watch") and not definition.namespaced else about
            if definition.per_tenant and verb in ("list", "watch"):
                asked = {**asked, "namespace": ""}
            assert allowed(two, verb=verb, **asked) == permitted(two, definition, verb, namespace), (verb, asked)


def test_an_access_review_denies_what_is_not_served(two):
    """Unknown kinds, groups, verbs and subresources."""
    known = {"group": "ngpc.rxt.io", "resource": "cloudspaces", "namespace": "org-acme", "verb": "create"}
    assert allowed(two, **known)
    for wrong in ({"resource": "pods"}, {"group": ""}, {"verb": "impersonate"}, {"subresource": "status"}):
        assert not allowed(two, **{**known, **wrong})
    assert not allowed(two)


def test_an_access_review_covers_paths(tenant):
    """Everybody may get the paths of discovery, and nothing else."""
    document = {"apiVersion": AUTHORIZATION, "kind": "SelfSubjectAccessReview"}
    for path, verb, expected in (
        ("/apis/ngpc.rxt.io", "get", True),
        ("/metrics", "get", False),
        ("/api", "put", False),
    ):
        asked = {**document, "spec": {"nonResourceAttributes": {"path": path, "verb": verb}}}
        assert tenant.ask("POST", ACCESS, asked).said["status"] == {"allowed": expected}


def test_a_rules_review_lists_what_is_allowed(two):
    """In the own namespace everything of the tenant's, in another one only what has no namespace."""
    document = {"apiVersion": AUTHORIZATION, "kind": "SelfSubjectRulesReview"}
    answer = two.ask("POST", RULES, {**document, "spec": {"namespace": "org-acme"}})
    rules = answer.said["status"]["resourceRules"]
    verbs = {plural: rule["verbs"] for rule in rules for plural in rule["resources"]}
    assert set(verbs["regions"]) == set(verbs["namespaces"]) == {"get", "list", "watch"}
    assert {"create", "delete", "patch"} <= set(verbs["cloudspaces"])
    assert {"verbs": ["get", "list", "watch"], "apiGroups": [""], "resources": ["namespaces"]}.items() <= next(
        rule for rule in rules if rule["resources"] == ["namespaces"]
    ).items()
    elsewhere = two.ask("POST", RULES, {**document, "spec": {"namespace": "org-other"}}).said["status"]
    assert "cloudspaces" not in {plural for rule in elsewhere["resourceRules"] for plural in rule["resources"]}
    assert elsewhere["incomplete"] is False


def test_a_subject_review_names_the_caller(two):
    """As `kubectl auth whoami` prints it."""
    as_person(two, "bob@example.com")
    answer = two.ask("POST", WHOAMI, {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"})
    user = {"username": "bob@example.com", "groups": [VIEWER, "system:authenticated"]}
    assert (answer.status, answer.said["status"]) == (201, {"userInfo": user})


def test_a_review_may_be_sent_as_a_protocol_buffer(two):
    """kubectl sends no other form, but reads JSON."""
    meta = field(1, AUTHORIZATION) + field(2, "SelfSubjectAccessReview")
    asked = field(1, "org-acme") + field(2, "create") + field(3, "ngpc.rxt.io") + field(5, "cloudspaces")
    body = MAGIC + field(1, meta) + field(2, field(1, b"") + field(2, field(1, asked)) + field(3, field(1, False)))
    answer = two.ask("POST", ACCESS, body, content_type=PROTOBUF)
    assert (answer.status, answer.said["status"]) == (201, {"allowed": True})
    assert answer.said["spec"]["resourceAttributes"]["resource"] == "cloudspaces"


@pytest.mark.parametrize("cut", range(0, 60, 7))
def test_a_truncated_protocol_buffer_is_refused(two, cut):
    """With 400, wherever it ends."""
    meta = field(1, AUTHORIZATION) + field(2, "SelfSubjectAccessReview")
    body = MAGIC + field(1, meta)
    assert two.ask("POST", ACCESS, body[:cut], content_type=PROTOBUF).status == (400 if cut < len(body) else 201)


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({}, 400),
        ({"apiVersion": "v1", "kind": "SelfSubjectAccessReview"}, 400),
        ({"apiVersion": AUTHORIZATION, "kind": "SelfSubjectRulesReview"}, 422),
        ({"apiVersion": AUTHORIZATION, "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": 7}}, 422),
    ],
)
def test_an_invalid_review_is_refused(tenant, document, status):
    """Like any other object."""
    assert tenant.ask("POST", ACCESS, document).status == status


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_reviews_are_not_stored(tenant, method):
    """There is nothing to read, replace or delete, and asking changes nothing."""
    before = tenant.store.version()
    assert not allowed(tenant, verb="get")
    assert tenant.store.version() == before
    assert tenant.ask(method, ACCESS).status == 405
