"""Kubernetes clients by others, unchanged, against the simulator over HTTP: the same tests for each."""

import gc
import json
from contextlib import closing
from itertools import islice

import kubernetes
import lightkube
import pytest
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient
from lightkube import operators
from lightkube.config.kubeconfig import Cluster, Context, KubeConfig, User
from lightkube.core.exceptions import ApiError
from lightkube.generic_resource import create_namespaced_resource
from lightkube.types import PatchType

from rsspot.simulator.accounts.people import SANDBOX_TOKEN
from rsspot.wire import httpx

GROUP, VERSION, PLURAL = "ngpc.rxt.io", "v1", "cloudspaces"
CloudSpace = create_namespaced_resource(GROUP, VERSION, "CloudSpace", PLURAL)
# Both clients leave open connections to the garbage collector, which warns about them.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
SPEC = {"region": "us-central-ord-1", "kubernetesVersion": "1.31.1"}


def body(name, labels=None, **metadata):
    """A cloudspace as a manifest."""
    named = {"name": name, "labels": labels or {}, **metadata}
    return {"apiVersion": f"{GROUP}/{VERSION}", "kind": "CloudSpace", "metadata": named, "spec": dict(SPEC)}


class Refused(Exception):
    """The status and body of an error response, whichever client raised it."""

    def __init__(self, status, content):
        super().__init__(f"{status}: {content}")
        self.status, self.content = status, content


class Official:
    """The `kubernetes` package: CustomObjectsApi for objects, the dynamic client for applying and watching."""

    def __init__(self, url, token, namespace):
        configuration = kubernetes.client.Configuration()
        configuration.host = url
        configuration.api_key = {"authorization": f"Bearer {token}"}
        configuration.retries = False
        self.client = kubernetes.client.ApiClient(configuration)
        self.api = kubernetes.client.CustomObjectsApi(self.client)
        self.where = (GROUP, VERSION, namespace, PLURAL)
        self.namespace = namespace

    def _call(self, call, *arguments, **options):
        try:
            return call(*arguments, **options)
        except ApiException as refused:
            text = refused.body.decode() if isinstance(refused.body, bytes) else refused.body
            content = json.loads(text) if text.startswith("{") else text
            raise Refused(refused.status, content) from None

    def create(self, document):
        return self._call(self.api.create_namespaced_custom_object, *self.where, document)

    def get(self, name):
        return self._call(self.api.get_namespaced_custom_object, *self.where, name)

    def list(self, selector=None, size=None):
        """All names, page by page."""
        names, token = [], None
        while True:
            options = {"label_selector": selector, "limit": size, "_continue": token}
            options = {name: value for name, value in options.items() if value is not None}
            page = self._call(self.api.list_namespaced_custom_object, *self.where, **options)
            names += [item["metadata"]["name"] for item in page["items"]]
            token = page["metadata"].get("continue")
            if not token:
                return names

    def merge(self, name, patch):
        options = {"_content_type": "application/merge-patch+json"}
        return self._call(self.api.patch_namespaced_custom_object, *self.where, name, patch, **options)

    def json_patch(self, name, patch):
        options = {"_content_type": "application/json-patch+json"}
        return self._call(self.api.patch_namespaced_custom_object, *self.where, name, patch, **options)

    def replace(self, name, document):
        return self._call(self.api.replace_namespaced_custom_object, *self.where, name, document)

    def delete(self, name):
        return self._call(self.api.delete_namespaced_custom_object, *self.where, name)

    def apply(self, document, manager, *, force=False):
        resource = DynamicClient(self.client).resources.get(api_version=f"{GROUP}/{VERSION}", kind="CloudSpace")
        options = {"field_manager": manager, "force_conflicts": force, "namespace": self.namespace}
        return self._call(resource.server_side_apply, body=document, **options).to_dict()

    def watch(self, since, count):
        stream = kubernetes.watch.Watch().stream(
            self.api.list_namespaced_custom_object, *self.where, resource_version=since, timeout_seconds=60
        )
        with closing(stream):
            return [(event["type"], event["object"]["metadata"]["name"]) for event in islice(stream, count)]


class Light:
    """The `lightkube` package, with a resource of its generic kind."""

    def __init__(self, url, token, namespace):
        config = KubeConfig(
            clusters={"spot": Cluster(server=url)},
            users={"ada": User(token=token)},
            contexts={"spot": Context(cluster="spot", user="ada", namespace=namespace)},
            current_context="spot",
        )
        self.client = lightkube.Client(config=config, namespace=namespace, field_manager="lightkube")

    def _call(self, call, *arguments, **options):
        try:
            result = call(*arguments, **options)
        except ApiError as refused:
            raise Refused(refused.status.code, refused.status.to_dict()) from None
        except Exception as refused:
            response = getattr(refused, "response", None)
            if response is None:
                raise
            raise Refused(response.status_code, response.text) from None
        return result.to_dict() if hasattr(result, "to_dict") else result

    def create(self, document):
        return self._call(self.client.create, CloudSpace(document))

    def get(self, name):
        return self._call(self.client.get, CloudSpace, name)

    def list(self, selector=None, size=None):
        labels = None
        if selector:
            key, _, value = selector.partition("=")
            labels = {key: operators.equal(value)}
        items = self._call(lambda: list(self.client.list(CloudSpace, labels=labels, chunk_size=size)))
        return [item.metadata.name for item in items]

    def merge(self, name, patch):
        return self._call(self.client.patch, CloudSpace, name, patch, patch_type=PatchType.MERGE)

    def json_patch(self, name, patch):
        return self._call(self.client.patch, CloudSpace, name, patch, patch_type=PatchType.JSON)

    def replace(self, name, document):
        return self._call(self.client.replace, CloudSpace(document))

    def delete(self, name):
        return self._call(self.client.delete, CloudSpace, name)

    def apply(self, document, manager, *, force=False):
        return self._call(self.client.apply, CloudSpace(document), field_manager=manager, force=force)

    def watch(self, since, count):
        with closing(self.client.watch(CloudSpace, resource_version=since, server_timeout=60)) as stream:
            return [(kind, item.metadata.name) for kind, item in islice(stream, count)]


@pytest.fixture(params=[Official, Light])
def connect(request, serve):
    """Creates clients of one served simulator, whose clock stands still."""
    _, about, _ = serve("--time-scale", "0")
    form = {"grant_type": "refresh_token", "client_id": "x", "refresh_token": about["refresh_token"]}
    token = httpx.post(f"{about['base_url']}/oauth/token", data=form).json()["id_token"]

    clients = []

    def make(token=token, namespace="org-sandbox000000001"):
        clients.append(request.param(about["base_url"], token, namespace))
        return clients[-1]

    yield make
    for client in clients:
        client.client.close()
    clients.clear()
    # Connections that they leave open must not cause warnings in later tests.
    gc.collect()


def test_create_get_list_and_delete(connect):
    """With pages and selectors."""
    client = connect()
    for number in range(5):
        created = client.create(body(f"c{number}", {"tier": "web" if number % 2 else "db"}))
        assert created["metadata"]["uid"]
    assert client.get("c3")["spec"]["region"] == SPEC["region"]
    assert client.list(size=2) == ["c0", "c1", "c2", "c3", "c4"]
    assert client.list("tier=web") == ["c1", "c3"]
    client.delete("c3")
    assert client.get("c3")["metadata"]["deletionTimestamp"]
    with pytest.raises(Refused) as missing:
        client.get("c9")
    assert (missing.value.status, missing.value.content["reason"]) == (404, "NotFound")


def test_patch_and_replace(connect):
    """Merge patch, JSON patch and replace; a replace of an old version is a conflict."""
    client = connect()
    old = client.create(body("prod"))
    assert client.merge("prod", {"metadata": {"labels": {"tier": "web"}}})["metadata"]["labels"] == {"tier": "web"}
    steps = [{"op": "replace", "path": "/spec/kubernetesVersion", "value": "1.32.9"}]
    assert client.json_patch("prod", steps)["spec"]["kubernetesVersion"] == "1.32.9"
    with pytest.raises(Refused) as late:
        client.replace("prod", old)
    assert (late.value.status, late.value.content["reason"]) == (409, "Conflict")
    fresh = client.get("prod")
    fresh["spec"]["webhook"] = "http://127.0.0.1:9/"
    assert client.replace("prod", fresh)["spec"]["webhook"] == "http://127.0.0.1:9/"


def test_server_side_apply(connect):
    """Each manager owns its fields; a conflict, then force."""
    client = connect()
    client.apply(body("prod"), "ada")
    other = body("prod")
    other["spec"]["kubernetesVersion"] = "1.32.9"
    with pytest.raises(Refused) as conflict:
        client.apply(other, "bob")
    (cause,) = conflict.value.content["details"]["causes"]
    assert (conflict.value.status, cause["reason"], cause["field"]) == (
        409,
        "FieldManagerConflict",
        ".spec.kubernetesVersion",
    )
    forced = client.apply(other, "bob", force=True)
    assert {entry["manager"] for entry in forced["metadata"]["managedFields"]} == {"ada", "bob"}


def test_watch(connect):
    """From a resource version on: created, updated and deleted."""
    client = connect()
    since = client.create(body("zero"))["metadata"]["resourceVersion"]
    client.create(body("prod"))
    client.merge("prod", {"metadata": {"labels": {"tier": "web"}}})
    client.delete("prod")
    assert client.watch(since, 3)[:2] == [("ADDED", "prod"), ("MODIFIED", "prod")]


def test_error_responses(connect):
    """Invalid with causes, forbidden in another namespace, and the gateway's plain-text 401."""
    client = connect()
    wrong = body("prod")
    wrong["spec"] = {"region": 7}
    with pytest.raises(Refused) as invalid:
        client.create(wrong)
    fields = {cause["field"] for cause in invalid.value.content["details"]["causes"]}
    assert invalid.value.status == 422 and {"spec.region", "spec.kubernetesVersion"} <= fields
    with pytest.raises(Refused) as forbidden:
        connect(namespace="org-elsewhere").list()
    assert (forbidden.value.status, forbidden.value.content["reason"]) == (403, "Forbidden")
    with pytest.raises(Refused) as denied:
        connect(token=SANDBOX_TOKEN).list()
    assert (denied.value.status, denied.value.content) == (401, "Jwt is not in the form of Header.Payload.Signature")
