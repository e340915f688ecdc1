"""The real kubectl, unchanged, against the simulator over HTTP: each command by itself, and all as one story."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from pathlib import Path

import pytest

KUBECTL = shutil.which("kubectl")
STORY = Path(__file__).with_name("kubectl_story.sh")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHtm6uenhaRwH6vl3V69ETCuChlrQHC2GJeyuZNpg3kI ada@example.com"
TIMEOUT = 100.0
SECTIONS = """discovery
create
get
describe
apply
apply on the server
diff
patch
label and annotate
edit
watch and wait
pages
what is not allowed
delete
"""

pytestmark = pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")


def manifest(kind, name, spec, **metadata):
    """An object as a file would have it."""
    return {"apiVersion": "ngpc.rxt.io/v1", "kind": kind, "metadata": {"name": name, **metadata}, "spec": spec}


def cloudspace(name, version="1.31.1", **metadata):
    """A cloudspace in a file."""
    return manifest("CloudSpace", name, {"region": "us-central-ord-1", "kubernetesVersion": version}, **metadata)


def ssh_key(name, **labels):
    """A public key in a file."""
    return manifest("VMSSHKey", name, {"publicKey": KEY}, labels=labels)


def words(text):
    """A text without its line breaks."""
    return " ".join(text.split())


class Kubectl:
    """kubectl with a home of its own."""

    def __init__(self, folder, environment):
        self.folder, self.environment = folder, environment

    def start(self, *command, **options):
        """A command that goes on by itself."""
        options = {"cwd": self.folder, "env": self.environment, "stdin": subprocess.DEVNULL, "text": True, **options}
        return subprocess.Popen(command, **options)

    def _run(self, arguments, document, environment):
        return subprocess.run(
            [KUBECTL, *arguments],
            input="" if document is None else json.dumps(document),
            env=self.environment | environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )

    def __call__(self, *arguments, document=None, **environment):
        """What a command prints that ends well."""
        ended = self._run(arguments, document, environment)
        assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
        return ended.stdout

    def refused(self, *arguments, document=None, **environment):
        """What a command prints, errors included, that ends with 1."""
        ended = self._run(arguments, document, environment)
        assert ended.returncode == 1, f"{ended.returncode}\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout + ended.stderr

    def traced(self, *arguments):
        """What a command prints, and the requests that it says it has made."""
        ended = self._run([*arguments, "-v=6"], None, {})
        assert ended.returncode == 0, ended.stderr
        return ended.stdout, [line for line in ended.stderr.splitlines() if 'verb="' in line or "GET http" in line]


@contextmanager
def simulated(folder):
    """kubectl against a fast simulator."""
    ready, kubeconfig = folder / "ready.json", folder / "kubeconfig"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("RSSPOT_", "SPOT_", "KUBE"))}
    run = Kubectl(folder, {**inherited, "HOME": str(folder), "KUBECONFIG": str(kubeconfig)})
    serve = [sys.executable, "-m", "rsspot", "simulator", "serve", "--time-scale", "100"]
    files = ["--ready-file", str(ready), "--kubeconfig", str(kubeconfig)]
    server = run.start(*serve, *files, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: ready.exists() or server.poll() is not None)
        assert server.poll() is None, "the server ended before it was ready"
        yield run
    finally:
        end(server)


@pytest.fixture(scope="module")
def kubectl(tmp_path_factory):
    """kubectl against a simulator that the tests of this file share: `kubectl("get", "cloudspaces")`."""
    with simulated(tmp_path_factory.mktemp("kubectl")) as run:
        yield run


def eventually(holds):
    """Wait until something holds."""
    deadline = time.monotonic() + 20
    while not (held := holds()):
        assert time.monotonic() < deadline, "it did not come in time"
        time.sleep(0.02)
    return held


def end(process):
    """End a process politely, and at any rate."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)


_numbers = itertools.count(1)


@pytest.fixture
def new_name():
    """A name that no test has had."""
    return f"space-{next(_numbers)}"


@pytest.fixture
def space(kubectl, new_name):
    """The name of a cloudspace that was applied."""
    kubectl("apply", "-f", "-", document=cloudspace(new_name))
    return new_name


@pytest.fixture
def pool(kubectl, space):
    """The name of a pool in a cloudspace of its own."""
    name = str(uuid.uuid4())
    spec = {"serverClass": "ch.vs1.large-ord", "cloudSpace": space, "desired": 1, "bidPrice": "0.02"}
    kubectl("create", "-f", "-", document=manifest("SpotNodePool", name, spec))
    return name


def field(kubectl, kind, name, path):
    """A field of an object, as jsonpath finds it."""
    return kubectl("get", kind, name, "-o", f"jsonpath={{{path}}}")


def script(kubectl, *lines):
    """A shell script for kubectl to run, such as an editor."""
    file = kubectl.folder / f"script-{next(_numbers)}.sh"
    file.write_text("\n".join(("#!/bin/sh", *lines, "")))
    file.chmod(0o755)
    return str(file)


def test_one_story_has_them_all(tmp_path):
    """Every line of the script does what it says, and at the end nothing is left."""
    with simulated(tmp_path) as kubectl:
        story = kubectl.start("sh", str(STORY), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            told, complaints = story.communicate(timeout=TIMEOUT)
        finally:
            story.kill()
        assert (story.wait(), complaints) == (0, ""), told + complaints
        assert told == SECTIONS
        assert kubectl("get", "spot", "-o", "name") == ""


def test_api_resources_lists_the_kinds(kubectl):
    """Discovery: names, short names, scope and kind."""
    lines = [line.split() for line in kubectl("api-resources", "--no-headers").splitlines()]
    assert ["spotnodepools", "snp", "ngpc.rxt.io/v1", "true", "SpotNodePool"] in lines
    assert ["regions", "ngpc.rxt.io/v1", "false", "Region"] in lines


def test_a_category_has_what_a_tenant_makes(kubectl):
    """And not what the operators provide."""
    names = {line.split(".")[0] for line in kubectl("api-resources", "--categories=spot", "-o", "name").splitlines()}
    assert {"cloudspaces", "spotnodepools", "ondemandnodepools", "vmcloudspaces", "vmpools", "vmsshkeys"} <= names
    assert not names & {"regions", "serverclasses"}


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("cloudspaces", "A hosted Kubernetes cluster. Its nodes come from the pools that name it."),
        ("cs.spec", "region <string> -required- The region, as in us-central-dfw-1. It cannot be changed."),
        ("snp.spec.bidPrice", "FIELD: bidPrice <string> DESCRIPTION: The most that is paid for one server,"),
        ("cs.spec.cni", "ENUM: calico cilium byocni DESCRIPTION: The network plugin:"),
        ("snp.status", "wonCount <integer> How many servers were won."),
    ],
)
def test_explain_describes_kinds_and_fields(kubectl, path, shown):
    """In words, with types, choices, and which fields are required."""
    assert shown in words(kubectl("explain", path))


def test_explain_shows_the_whole_tree(kubectl):
    """Down to the last field."""
    assert "bidStatus\t<string>" in kubectl("explain", "spotnodepools", "--recursive")


def test_get_prints_tables_over_all_namespaces(kubectl, space, pool):
    """Two kinds at once, with the service's columns."""
    said = kubectl("get", "cloudspaces,spotnodepools", "-A")
    assert f"cloudspace.ngpc.rxt.io/{space} " in said
    assert f"spotnodepool.ngpc.rxt.io/{pool} " in said
    headings = [line.split() for line in said.splitlines() if line.startswith("NAMESPACE")]
    assert headings[0] == ["NAMESPACE", "NAME", "REGION", "VERSION", "PHASE", "AGE"]
    assert headings[1] == ["NAMESPACE", "NAME", "CLOUDSPACE", "CLASS", "BID", "DESIRED", "WON", "STATUS", "AGE"]


def test_get_prints_a_wide_table(kubectl, space):
    """Cells as the service has them."""
    (row,) = kubectl("get", "cs", space, "-o", "wide", "--no-headers").splitlines()
    assert row.split()[:3] == [space, "us-central-ord-1", "1.31.1"]


def test_get_prints_an_object(kubectl, pool):
    """A single object as YAML and as JSON, and by short name."""
    assert 'bidPrice: "0.02"' in kubectl("get", "spotnodepool", pool, "-o", "yaml")
    shown = json.loads(kubectl("get", "snp", pool, "-o", "json"))
    assert (shown["kind"], shown["spec"]["serverClass"]) == ("SpotNodePool", "ch.vs1.large-ord")


def test_get_of_a_category_finds_every_kind(kubectl, space, pool):
    """`kubectl get spot` is everything that a tenant has."""
    names = kubectl("get", "spot", "-o", "name").splitlines()
    assert {f"cloudspace.ngpc.rxt.io/{space}", f"spotnodepool.ngpc.rxt.io/{pool}"} <= set(names)


def test_get_lists_what_the_operators_provide(kubectl):
    """Server classes are read like anything else."""
    assert "gp.vs1.large-ord" in kubectl("get", "serverclasses", "-o", "name")


def test_a_list_comes_in_pages(kubectl):
    """--chunk-size is asked for and kept to, and nothing is lost between two pages."""
    whole = kubectl("get", "serverclasses", "-o", "name", "--chunk-size=0")
    paged, requests = kubectl.traced("get", "serverclasses", "-o", "name", "--chunk-size=40")
    assert paged == whole
    pages = [line for line in requests if "/serverclasses?" in line]
    assert len(pages) == -(-len(whole.splitlines()) // 40) > 1
    assert ["continue=" in line for line in pages] == [False, *[True] * (len(pages) - 1)]


def test_a_watch_sees_a_change(kubectl, pool):
    """The object as it is, and then as it has become."""
    seen = kubectl.folder / "seen"
    with (
        seen.open("w") as file,
        kubectl.start(KUBECTL, "get", "snp", pool, "-w", "-o", 'jsonpath={.spec.desired}{"\\n"}', stdout=file) as watch,
    ):
        try:
            eventually(lambda: "1\n" in seen.read_text())
            kubectl("patch", "snp", pool, "--type=merge", "-p", '{"spec": {"desired": 2}}')
            eventually(lambda: seen.read_text().endswith("2\n"))
        finally:
            end(watch)


def test_describe_tells_all_about_an_object(kubectl, space):
    """Its fields in words, and no events, which tenants cannot see."""
    said = kubectl("describe", "cloudspace", space)
    assert f"Name:         {space}\n" in said
    assert "Kubernetes Version:  1.31.1\n" in said
    assert said.endswith("Events:    <none>\n")


def test_create_takes_files(kubectl, new_name):
    """Each object is said to be created, once."""
    document = cloudspace(new_name)
    assert kubectl("create", "-f", "-", document=document) == f"cloudspace.ngpc.rxt.io/{new_name} created\n"
    said = kubectl.refused("create", "-f", "-", document=document)
    assert f'(AlreadyExists): error when creating "STDIN": cloudspaces.ngpc.rxt.io "{new_name}" already exists' in said


@pytest.mark.parametrize("command", ["create", "apply"])
def test_an_unknown_field_is_refused(kubectl, new_name, command):
    """By the server, since kubectl asks it to be strict."""
    document = cloudspace(new_name)
    document["spec"]["regoin"] = "us-central-dfw-1"
    said = kubectl.refused(command, "-f", "-", document=document)
    assert 'strict decoding error: unknown field "spec.regoin"' in said


def test_the_words_of_the_service_reach_the_user(kubectl, new_name):
    """What an admission webhook has to say is printed."""
    document = cloudspace(new_name)
    document["spec"]["region"] = "us-nowhere-1"
    assert "region us-nowhere-1 does not exist" in kubectl.refused("create", "-f", "-", document=document)


def test_apply_creates_and_changes(kubectl, new_name):
    """Created, then nothing to do, then configured."""
    about = f"cloudspace.ngpc.rxt.io/{new_name}"
    assert kubectl("apply", "-f", "-", document=cloudspace(new_name)) == f"{about} created\n"
    assert kubectl("apply", "-f", "-", document=cloudspace(new_name)) == f"{about} unchanged\n"
    assert kubectl("apply", "-f", "-", document=cloudspace(new_name, "1.32.1")) == f"{about} configured\n"
    assert field(kubectl, "cs", new_name, ".spec.kubernetesVersion") == "1.32.1"


def test_apply_takes_away_what_left_the_file(kubectl, new_name):
    """And leaves alone what was never in it."""
    kubectl("apply", "-f", "-", document=cloudspace(new_name, labels={"team": "blue", "tier": "web"}))
    kubectl("label", "cs", new_name, "other=kept")
    kubectl("apply", "-f", "-", document=cloudspace(new_name, labels={"team": "blue"}))
    assert json.loads(field(kubectl, "cs", new_name, ".metadata.labels")) == {"other": "kept", "team": "blue"}


def test_apply_on_the_server_knows_who_owns_a_field(kubectl, new_name):
    """Another manager's value is a conflict, until it is taken by force."""
    apply = ("apply", "--server-side", "-f", "-")
    done = f"cloudspace.ngpc.rxt.io/{new_name} serverside-applied\n"
    newer = cloudspace(new_name, "1.32.1")
    assert kubectl(*apply, document=cloudspace(new_name)) == done
    said = kubectl.refused(*apply, "--field-manager=second", document=newer)
    assert 'Apply failed with 1 conflict: conflict with "kubectl": .spec.kubernetesVersion' in said
    assert kubectl(*apply, "--field-manager=second", "--force-conflicts", document=newer) == done
    assert field(kubectl, "cs", new_name, ".spec.kubernetesVersion") == "1.32.1"
    assert "second" in kubectl("get", "cs", new_name, "--show-managed-fields", "-o", "yaml")


def test_diff_ends_with_1_where_there_is_one(kubectl):
    """And with 0 and no word where there is none. It is of a key, which nobody else writes to meanwhile."""
    kubectl("apply", "-f", "-", document=ssh_key("key-diff", tier="web"))
    assert kubectl("diff", "-f", "-", document=ssh_key("key-diff", tier="web")) == ""
    said = kubectl.refused("diff", "-f", "-", document=ssh_key("key-diff", tier="data")).splitlines()
    assert {"-    tier: web", "+    tier: data"} <= set(said)
    assert field(kubectl, "vmsshkey", "key-diff", ".metadata.labels.tier") == "web"


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        ("merge", {"spec": {"desired": 2}}),
        ("json", [{"op": "replace", "path": "/spec/desired", "value": 2}]),
    ],
)
def test_patch_changes_the_spec(kubectl, pool, kind, patch):
    """A patch through kubectl."""
    said = kubectl("patch", "snp", pool, f"--type={kind}", "-p", json.dumps(patch))
    assert said == f"spotnodepool.ngpc.rxt.io/{pool} patched\n"
    assert field(kubectl, "snp", pool, ".spec.desired") == "2"


def test_a_strategic_patch_is_refused(kubectl, pool):
    """As for every custom resource."""
    said = kubectl.refused("patch", "snp", pool, "-p", '{"spec": {"desired": 2}}')
    assert "application/strategic-merge-patch+json is not supported by ngpc.rxt.io/v1, Kind=SpotNodePool" in said


def test_label_and_select(kubectl, pool):
    """A label set by kubectl is one that it finds objects by."""
    assert kubectl("label", "spotnodepool", pool, "tier=web") == f"spotnodepool.ngpc.rxt.io/{pool} labeled\n"
    assert kubectl("get", "snp", "-l", "tier=web", "-o", "name") == f"spotnodepool.ngpc.rxt.io/{pool}\n"
    assert kubectl("label", "spotnodepool", pool, "tier-") == f"spotnodepool.ngpc.rxt.io/{pool} unlabeled\n"
    assert kubectl("get", "snp", "-l", "tier=web", "-o", "name") == ""


def test_annotate(kubectl, space):
    """Set, not overwritten by mistake, and taken away."""
    kubectl("annotate", "cs", space, "note=first")
    assert "--overwrite is false" in kubectl.refused("annotate", "cs", space, "note=second")
    kubectl("annotate", "cs", space, "note=second", "--overwrite")
    assert field(kubectl, "cs", space, ".metadata.annotations.note") == "second"
    kubectl("annotate", "cs", space, "note-")
    assert field(kubectl, "cs", space, ".metadata.annotations.note") == ""


def test_edit_saves_what_an_editor_leaves(kubectl, pool):
    """The editor is a script here."""
    editor = script(kubectl, "sed -i 's/desired: 1/desired: 3/' \"$1\"")
    assert kubectl("edit", "snp", pool, KUBE_EDITOR=editor) == f"spotnodepool.ngpc.rxt.io/{pool} edited\n"
    assert field(kubectl, "snp", pool, ".spec.desired") == "3"


def test_edit_tells_what_cannot_be_changed(kubectl, pool):
    """In the service's words."""
    editor = script(kubectl, "sed -i 's/serverClass: .*/serverClass: gp.vs1.large-ord/' \"$1\"")
    said = kubectl.refused("edit", "snp", pool, KUBE_EDITOR=editor)
    assert "could not be patched: admission webhook" in said
    assert "spec.serverClass is immutable" in said


def test_wait_returns_when_a_field_has_a_value(kubectl, space, pool):
    """A cloudspace comes up while somebody waits for it."""
    said = kubectl("wait", f"cloudspace/{space}", "--for=jsonpath={.status.phase}=Ready", "--timeout=30s")
    assert said == f"cloudspace.ngpc.rxt.io/{space} condition met\n"


def test_wait_gives_up_in_time(kubectl, space):
    """It says so, and ends with 1."""
    said = kubectl.refused("wait", f"cs/{space}", "--for=jsonpath={.status.phase}=Never", "--timeout=1s")
    assert "timed out waiting for the condition" in said


def test_wait_returns_when_an_object_is_gone(kubectl, space, pool):
    """Finalizers hold it for a while."""
    kubectl("delete", "snp", pool, "--wait=false")
    kubectl("wait", f"snp/{pool}", "--for=delete", "--timeout=30s")
    assert pool not in kubectl("get", "snp", "-o", "name")


def test_delete_returns_when_the_object_is_gone(kubectl, pool):
    """kubectl waits for finalizers by watching, and ends by itself."""
    assert "deleted" in kubectl("delete", "spotnodepool", pool)
    assert pool not in kubectl("get", "spotnodepools", "-o", "name")


def test_delete_of_a_cloudspace_takes_its_pools_along(kubectl, space, pool):
    """The cascade seen from outside."""
    kubectl("delete", "cloudspace", space)
    left = kubectl("get", "cloudspaces,spotnodepools", "-o", "name").splitlines()
    assert not {f"cloudspace.ngpc.rxt.io/{space}", f"spotnodepool.ngpc.rxt.io/{pool}"} & set(left)


def test_delete_by_label_and_of_all(kubectl):
    """Those with the label first, and then the rest."""
    for name, tier in (("key-a", "web"), ("key-b", "web"), ("key-c", "data")):
        kubectl("create", "-f", "-", document=ssh_key(name, batch=tier))
    kubectl("delete", "vmsshkeys", "-l", "batch=web")
    assert kubectl("get", "vmsshkeys", "-l", "batch", "-o", "name") == "vmsshkey.ngpc.rxt.io/key-c\n"
    kubectl("delete", "vmsshkeys", "--all")
    assert kubectl("get", "vmsshkeys", "-o", "name") == ""


@pytest.mark.parametrize(
    "command",
    [("patch", "--type=merge", "-p", '{"spec": {"desired": 2}}'), ("label", "tier=web"), ("delete",)],
    ids=["patch", "label", "delete"],
)
def test_a_rehearsal_changes_nothing(kubectl, pool, command):
    """--dry-run=server is honored."""
    verb, *options = command
    kubectl(verb, "snp", pool, *options, "--dry-run=server")
    shown = json.loads(kubectl("get", "snp", pool, "-o", "json"))
    assert (shown["spec"]["desired"], "tier" in shown["metadata"]["labels"]) == (1, False)
    assert "deletionTimestamp" not in shown["metadata"]


@pytest.mark.parametrize("command", ["create", "apply"])
def test_a_rehearsal_makes_nothing(kubectl, new_name, command):
    """Though it is checked as if it did."""
    said = kubectl(command, "--dry-run=server", "-f", "-", document=cloudspace(new_name))
    assert said == f"cloudspace.ngpc.rxt.io/{new_name} created (server dry run)\n"
    assert new_name not in kubectl("get", "cs", "-o", "name")


def test_a_wrong_token_is_told_so(kubectl):
    """401 in kubectl's words."""
    config = json.loads((kubectl.folder / "kubeconfig").read_text())
    cluster = config["clusters"][0]["cluster"]
    cluster["server"] = f"http://spot:wrong@{cluster['server'].rpartition('@')[2]}"
    wrong = kubectl.folder / "wrong"
    wrong.write_text(json.dumps(config))
    said = kubectl.refused("--kubeconfig", str(wrong), "get", "cloudspaces")
    assert "error: You must be logged in to the server" in said


def test_another_namespace_is_forbidden(kubectl, new_name):
    """To look at and to write to."""
    said = kubectl.refused("get", "cloudspaces", "-n", "elsewhere")
    assert 'cannot list resource "cloudspaces" in API group "ngpc.rxt.io" in the namespace "elsewhere"' in said
    document = cloudspace(new_name)
    said = kubectl.refused("create", "-n", "elsewhere", "-f", "-", document=document)
    assert "Error from server (Forbidden)" in said
    assert 'cannot create resource "cloudspaces"' in said


def test_what_the_operators_provide_is_theirs(kubectl):
    """A tenant reads it only."""
    said = kubectl.refused("label", "region", "us-central-ord-1", "mine=true")
    assert 'cannot patch resource "regions" in API group "ngpc.rxt.io" at the cluster scope' in said


def test_an_object_that_is_not_there_is_named(kubectl):
    """So that a slip of the pen is seen."""
    said = kubectl.refused("delete", "cloudspace", "nobody")
    assert said == 'Error from server (NotFound): cloudspaces.ngpc.rxt.io "nobody" not found\n'


def test_an_object_that_cannot_be_read_is_named(kubectl):
    """A real server refuses a look at the namespace, and kubectl then tells of the object."""
    said = kubectl.refused("get", "cloudspace", "nobody")
    assert said == 'Error from server (NotFound): cloudspaces.ngpc.rxt.io "nobody" not found\n'
