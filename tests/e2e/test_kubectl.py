"""The real kubectl, unchanged, against the simulator over HTTP: each command by itself, and all in one script."""

import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from pathlib import Path

import pytest

from rsspot.cli.app import run

KUBECTL = shutil.which("kubectl")
STORY = Path(__file__).with_name("kubectl_story.sh")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHtm6uenhaRwH6vl3V69ETCuChlrQHC2GJeyuZNpg3kI ada@example.com"
TIMEOUT = 100.0
SECTIONS = """discovery
create
get
describe
apply
server-side apply
diff
patch
label and annotate
edit
watch and wait
pages
permissions
delete
"""

pytestmark = pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")


def manifest(kind, name, spec, **metadata):
    """An object as a manifest."""
    return {"apiVersion": "ngpc.rxt.io/v1", "kind": kind, "metadata": {"name": name, **metadata}, "spec": spec}


def cloudspace(name, version="1.31.1", **metadata):
    """A cloudspace as a manifest."""
    return manifest("CloudSpace", name, {"region": "us-central-ord-1", "kubernetesVersion": version}, **metadata)


def ssh_key(name, **labels):
    """A public key as a manifest."""
    return manifest("VMSSHKey", name, {"publicKey": KEY}, labels=labels)


def words(text):
    """A text without line breaks."""
    return " ".join(text.split())


class Kubectl:
    """Runs kubectl with its own home directory."""

    def __init__(self, folder, environment):
        self.folder, self.environment = folder, environment

    def start(self, *command, **options):
        """Start a command in the background."""
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
        """Run kubectl, which must succeed; returns its output."""
        ended = self._run(arguments, document, environment)
        assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
        return ended.stdout

    def refused(self, *arguments, document=None, **environment):
        """Run kubectl, which must exit with 1; returns its output, errors included."""
        ended = self._run(arguments, document, environment)
        assert ended.returncode == 1, f"{ended.returncode}\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout + ended.stderr

    def traced(self, *arguments):
        """The output of kubectl, and the requests it logs."""
        ended = self._run([*arguments, "-v=6"], None, {})
        assert ended.returncode == 0, ended.stderr
        return ended.stdout, [line for line in ended.stderr.splitlines() if 'verb="' in line or "GET http" in line]


@contextmanager
def simulated(folder):
    """kubectl against a fast simulator."""
    ready, kubeconfig = folder / "ready.json", folder / "kubeconfig"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("RSSPOT_", "SPOT_", "KUBE"))}
    # Each kubectl is short-lived: collecting its garbage takes a third of its time.
    environment = {**inherited, "HOME": str(folder), "KUBECONFIG": str(kubeconfig), "GOGC": "off"}
    run = Kubectl(folder, environment)
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
    """kubectl against a simulator shared by the tests of this file: `kubectl("get", "cloudspaces")`."""
    with simulated(tmp_path_factory.mktemp("kubectl")) as run:
        yield run


def eventually(condition):
    """Wait until a condition holds."""
    deadline = time.monotonic() + 60
    while not (value := condition()):
        assert time.monotonic() < deadline, "the condition did not hold in time"
        time.sleep(0.02)
    return value


def end(process):
    """Terminate a process, and kill it if it does not exit."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)


_numbers = itertools.count(1)


@pytest.fixture
def new_name():
    """A name that no other test uses."""
    return f"space-{next(_numbers)}"


@pytest.fixture
def space(kubectl, new_name):
    """The name of an applied cloudspace."""
    kubectl("apply", "-f", "-", document=cloudspace(new_name))
    return new_name


@pytest.fixture
def pool(kubectl, space):
    """The name of a pool in its own cloudspace."""
    name = str(uuid.uuid4())
    spec = {"serverClass": "ch.vs1.large-ord", "cloudSpace": space, "desired": 1, "bidPrice": "0.02"}
    kubectl("create", "-f", "-", document=manifest("SpotNodePool", name, spec))
    return name


def field(kubectl, kind, name, path):
    """A field of an object, by jsonpath."""
    return kubectl("get", kind, name, "-o", f"jsonpath={{{path}}}")


def script(kubectl, *lines):
    """A shell script for kubectl to run, for example as its editor."""
    file = kubectl.folder / f"script-{next(_numbers)}.sh"
    file.write_text("\n".join(("#!/bin/sh", *lines, "")))
    file.chmod(0o755)
    return str(file)


def test_the_story_script(tmp_path):
    """Every line of the script behaves as written, and nothing is left at the end."""
    with simulated(tmp_path) as kubectl:
        story = kubectl.start("sh", str(STORY), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            out, err = story.communicate(timeout=TIMEOUT)
        finally:
            story.kill()
        assert (story.wait(), err) == (0, ""), out + err
        assert out == SECTIONS
        assert kubectl("get", "spot", "-o", "name") == ""


def test_api_resources_lists_the_kinds(kubectl):
    """Names, short names, scope and kind."""
    lines = [line.split() for line in kubectl("api-resources", "--no-headers").splitlines()]
    assert ["spotnodepools", "snp", "ngpc.rxt.io/v1", "true", "SpotNodePool"] in lines
    assert ["regions", "ngpc.rxt.io/v1", "false", "Region"] in lines


def test_the_category_has_the_kinds_of_tenants(kubectl):
    """And not those of the operators."""
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
    """With descriptions, types, enums and required fields."""
    assert shown in words(kubectl("explain", path))


def test_explain_shows_the_whole_tree(kubectl):
    """With --recursive, down to the last field."""
    assert "bidStatus\t<string>" in kubectl("explain", "spotnodepools", "--recursive")


def test_get_prints_tables_over_all_namespaces(kubectl, space, pool):
    """Two kinds at once, with the printer columns of the service."""
    output = kubectl("get", "cloudspaces,spotnodepools", "-A")
    assert f"cloudspace.ngpc.rxt.io/{space} " in output
    assert f"spotnodepool.ngpc.rxt.io/{pool} " in output
    headings = [line.split() for line in output.splitlines() if line.startswith("NAMESPACE")]
    assert headings[0] == ["NAMESPACE", "NAME", "REGION", "VERSION", "PHASE", "AGE"]
    assert headings[1] == ["NAMESPACE", "NAME", "CLOUDSPACE", "CLASS", "BID", "DESIRED", "WON", "STATUS", "AGE"]


def test_get_prints_a_wide_table(kubectl, space):
    """Cells as the service returns them."""
    (row,) = kubectl("get", "cs", space, "-o", "wide", "--no-headers").splitlines()
    assert row.split()[:3] == [space, "us-central-ord-1", "1.31.1"]


def test_get_prints_an_object(kubectl, pool):
    """As YAML and as JSON, also by short name."""
    assert 'bidPrice: "0.02"' in kubectl("get", "spotnodepool", pool, "-o", "yaml")
    shown = json.loads(kubectl("get", "snp", pool, "-o", "json"))
    assert (shown["kind"], shown["spec"]["serverClass"]) == ("SpotNodePool", "ch.vs1.large-ord")


def test_get_of_a_category_finds_every_kind(kubectl, space, pool):
    """`kubectl get spot` lists everything that a tenant has."""
    names = kubectl("get", "spot", "-o", "name").splitlines()
    assert {f"cloudspace.ngpc.rxt.io/{space}", f"spotnodepool.ngpc.rxt.io/{pool}"} <= set(names)


def test_get_lists_objects_of_the_operators(kubectl):
    """Server classes can be listed like any other kind."""
    assert "gp.vs1.large-ord" in kubectl("get", "serverclasses", "-o", "name")


def test_a_list_is_read_in_pages(kubectl):
    """--chunk-size is respected, and the pages have every object."""
    whole = kubectl("get", "serverclasses", "-o", "name", "--chunk-size=0")
    paged, requests = kubectl.traced("get", "serverclasses", "-o", "name", "--chunk-size=40")
    assert paged == whole
    pages = [line for line in requests if "/serverclasses?" in line]
    assert len(pages) == -(-len(whole.splitlines()) // 40) > 1
    assert ["continue=" in line for line in pages] == [False, *[True] * (len(pages) - 1)]


def test_a_watch_sees_a_change(kubectl, pool):
    """The current object, then the changed one."""
    output = kubectl.folder / "output"
    with (
        output.open("w") as file,
        kubectl.start(KUBECTL, "get", "snp", pool, "-w", "-o", 'jsonpath={.spec.desired}{"\\n"}', stdout=file) as watch,
    ):
        try:
            eventually(lambda: "1\n" in output.read_text())
            kubectl("patch", "snp", pool, "--type=merge", "-p", '{"spec": {"desired": 2}}')
            eventually(lambda: output.read_text().endswith("2\n"))
        finally:
            end(watch)


def test_describe_shows_an_object(kubectl, space):
    """Its fields, and no events, which tenants cannot list."""
    output = kubectl("describe", "cloudspace", space)
    assert f"Name:         {space}\n" in output
    assert "Kubernetes Version:  1.31.1\n" in output
    # How wide the column is depends on how far the status is by now.
    assert re.search(r"Events: +<none>\n$", output)


def test_create_from_a_file(kubectl, new_name):
    """A second create of the same object fails."""
    document = cloudspace(new_name)
    assert kubectl("create", "-f", "-", document=document) == f"cloudspace.ngpc.rxt.io/{new_name} created\n"
    output = kubectl.refused("create", "-f", "-", document=document)
    assert (
        f'(AlreadyExists): error when creating "STDIN": cloudspaces.ngpc.rxt.io "{new_name}" already exists' in output
    )


@pytest.mark.parametrize("command", ["create", "apply"])
def test_an_unknown_field_is_refused(kubectl, new_name, command):
    """By the server, since kubectl requests strict validation."""
    document = cloudspace(new_name)
    document["spec"]["regoin"] = "us-central-dfw-1"
    output = kubectl.refused(command, "-f", "-", document=document)
    assert 'strict decoding error: unknown field "spec.regoin"' in output


def test_messages_of_admission_webhooks_are_printed(kubectl, new_name):
    """kubectl shows why the service rejected an object."""
    document = cloudspace(new_name)
    document["spec"]["region"] = "us-nowhere-1"
    assert "region us-nowhere-1 does not exist" in kubectl.refused("create", "-f", "-", document=document)


def test_apply_creates_and_changes(kubectl, new_name):
    """Created, then unchanged, then configured."""
    about = f"cloudspace.ngpc.rxt.io/{new_name}"
    assert kubectl("apply", "-f", "-", document=cloudspace(new_name)) == f"{about} created\n"
    assert kubectl("apply", "-f", "-", document=cloudspace(new_name)) == f"{about} unchanged\n"
    assert kubectl("apply", "-f", "-", document=cloudspace(new_name, "1.32.1")) == f"{about} configured\n"
    assert field(kubectl, "cs", new_name, ".spec.kubernetesVersion") == "1.32.1"


def test_apply_removes_labels_removed_from_the_file(kubectl, new_name):
    """And keeps those that were never in it."""
    kubectl("apply", "-f", "-", document=cloudspace(new_name, labels={"team": "blue", "tier": "web"}))
    kubectl("label", "cs", new_name, "other=kept")
    kubectl("apply", "-f", "-", document=cloudspace(new_name, labels={"team": "blue"}))
    assert json.loads(field(kubectl, "cs", new_name, ".metadata.labels")) == {"other": "kept", "team": "blue"}


def test_server_side_apply_tracks_field_owners(kubectl, new_name):
    """Changing a field of another manager is a conflict, unless forced."""
    apply = ("apply", "--server-side", "-f", "-")
    done = f"cloudspace.ngpc.rxt.io/{new_name} serverside-applied\n"
    newer = cloudspace(new_name, "1.32.1")
    assert kubectl(*apply, document=cloudspace(new_name)) == done
    output = kubectl.refused(*apply, "--field-manager=second", document=newer)
    assert 'Apply failed with 1 conflict: conflict with "kubectl": .spec.kubernetesVersion' in output
    assert kubectl(*apply, "--field-manager=second", "--force-conflicts", document=newer) == done
    assert field(kubectl, "cs", new_name, ".spec.kubernetesVersion") == "1.32.1"
    assert "second" in kubectl("get", "cs", new_name, "--show-managed-fields", "-o", "yaml")


def test_diff_exits_with_1_if_there_is_one(kubectl):
    """And with 0 and no output otherwise. Uses a key, which no controller changes meanwhile."""
    kubectl("apply", "-f", "-", document=ssh_key("key-diff", tier="web"))
    assert kubectl("diff", "-f", "-", document=ssh_key("key-diff", tier="web")) == ""
    output = kubectl.refused("diff", "-f", "-", document=ssh_key("key-diff", tier="data")).splitlines()
    assert {"-    tier: web", "+    tier: data"} <= set(output)
    assert field(kubectl, "vmsshkey", "key-diff", ".metadata.labels.tier") == "web"


def test_a_list_is_read_like_the_objects_in_it(kubectl):
    """As exporters write it, for diff and every way of writing."""
    keys = [ssh_key(f"key-list-{number}", tier="web") for number in range(2)]
    both = {"apiVersion": "v1", "kind": "List", "items": keys}
    names = [f"vmsshkey.ngpc.rxt.io/key-list-{number}" for number in range(2)]
    assert kubectl.refused("diff", "-f", "-", document=both).count("+kind: VMSSHKey") == 2
    for command, done in (
        (("create",), "created"),
        (("apply", "--server-side"), "serverside-applied"),
        (("replace",), "replaced"),
    ):
        assert kubectl(*command, "-f", "-", document=both).splitlines() == [f"{name} {done}" for name in names]
    assert kubectl("diff", "-f", "-", document=both) == ""
    assert kubectl("get", "-f", "-", "-o", "name", document=both).splitlines() == names
    kubectl("delete", "-f", "-", document=both)
    assert kubectl("apply", "-f", "-", document=both).splitlines() == [f"{name} created" for name in names]
    kubectl("delete", "-f", "-", document=both)


def test_an_unknown_field_in_a_list_is_refused(kubectl):
    """kubectl checks lists itself, by the OpenAPI document."""
    wrong = ssh_key("key-wrong")
    wrong["spec"]["pubicKey"] = 7
    output = kubectl.refused("create", "-f", "-", document={"apiVersion": "v1", "kind": "List", "items": [wrong]})
    assert 'unknown field "pubicKey" in io.rxt.ngpc.v1.VMSSHKey.spec' in output


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        ("merge", {"spec": {"desired": 2}}),
        ("json", [{"op": "replace", "path": "/spec/desired", "value": 2}]),
    ],
)
def test_patch_changes_the_spec(kubectl, pool, kind, patch):
    """By merge patch and by JSON patch."""
    output = kubectl("patch", "snp", pool, f"--type={kind}", "-p", json.dumps(patch))
    assert output == f"spotnodepool.ngpc.rxt.io/{pool} patched\n"
    assert field(kubectl, "snp", pool, ".spec.desired") == "2"


def test_a_strategic_patch_is_refused(kubectl, pool):
    """As for every custom resource."""
    output = kubectl.refused("patch", "snp", pool, "-p", '{"spec": {"desired": 2}}')
    assert "application/strategic-merge-patch+json is not supported by ngpc.rxt.io/v1, Kind=SpotNodePool" in output


def test_label_and_select(kubectl, pool):
    """A label can be set, used as a selector, and removed."""
    assert kubectl("label", "spotnodepool", pool, "tier=web") == f"spotnodepool.ngpc.rxt.io/{pool} labeled\n"
    assert kubectl("get", "snp", "-l", "tier=web", "-o", "name") == f"spotnodepool.ngpc.rxt.io/{pool}\n"
    assert kubectl("label", "spotnodepool", pool, "tier-") == f"spotnodepool.ngpc.rxt.io/{pool} unlabeled\n"
    assert kubectl("get", "snp", "-l", "tier=web", "-o", "name") == ""


def test_annotate(kubectl, space):
    """Set, overwritten only with --overwrite, and removed."""
    kubectl("annotate", "cs", space, "note=first")
    assert "--overwrite is false" in kubectl.refused("annotate", "cs", space, "note=second")
    kubectl("annotate", "cs", space, "note=second", "--overwrite")
    assert field(kubectl, "cs", space, ".metadata.annotations.note") == "second"
    kubectl("annotate", "cs", space, "note-")
    assert field(kubectl, "cs", space, ".metadata.annotations.note") == ""


def test_edit_saves_the_edited_object(kubectl, pool):
    """The editor is a script."""
    editor = script(kubectl, "sed -i 's/desired: 1/desired: 3/' \"$1\"")
    assert kubectl("edit", "snp", pool, KUBE_EDITOR=editor) == f"spotnodepool.ngpc.rxt.io/{pool} edited\n"
    assert field(kubectl, "snp", pool, ".spec.desired") == "3"


def test_edit_reports_an_immutable_field(kubectl, pool):
    """With the message of the service."""
    editor = script(kubectl, "sed -i 's/serverClass: .*/serverClass: gp.vs1.large-ord/' \"$1\"")
    output = kubectl.refused("edit", "snp", pool, KUBE_EDITOR=editor)
    assert "could not be patched: admission webhook" in output
    assert "spec.serverClass is immutable" in output


def test_wait_returns_when_a_field_has_a_value(kubectl, space, pool):
    """The cloudspace becomes ready during the wait."""
    output = kubectl("wait", f"cloudspace/{space}", "--for=jsonpath={.status.phase}=Ready", "--timeout=90s")
    assert output == f"cloudspace.ngpc.rxt.io/{space} condition met\n"


def test_wait_times_out(kubectl, space):
    """With a message and exit code 1."""
    output = kubectl.refused("wait", f"cs/{space}", "--for=jsonpath={.status.phase}=Never", "--timeout=1s")
    assert "timed out waiting for the condition" in output


def test_wait_returns_when_an_object_is_gone(kubectl, space, pool):
    """Finalizers delay the deletion."""
    kubectl("delete", "snp", pool, "--wait=false")
    kubectl("wait", f"snp/{pool}", "--for=delete", "--timeout=90s")
    assert pool not in kubectl("get", "snp", "-o", "name")


def test_delete_returns_when_the_object_is_gone(kubectl, pool):
    """kubectl watches until the finalizers are removed."""
    assert "deleted" in kubectl("delete", "spotnodepool", pool)
    assert pool not in kubectl("get", "spotnodepools", "-o", "name")


def test_delete_of_a_cloudspace_deletes_its_pools(kubectl, space, pool):
    """The cascade as kubectl sees it."""
    kubectl("delete", "cloudspace", space)
    remaining = kubectl("get", "cloudspaces,spotnodepools", "-o", "name").splitlines()
    assert not {f"cloudspace.ngpc.rxt.io/{space}", f"spotnodepool.ngpc.rxt.io/{pool}"} & set(remaining)


def test_delete_by_label_and_all(kubectl):
    """First those with the label, then the rest."""
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
def test_a_dry_run_changes_nothing(kubectl, pool, command):
    """--dry-run=server is respected."""
    verb, *options = command
    kubectl(verb, "snp", pool, *options, "--dry-run=server")
    shown = json.loads(kubectl("get", "snp", pool, "-o", "json"))
    assert (shown["spec"]["desired"], "tier" in shown["metadata"]["labels"]) == (1, False)
    assert "deletionTimestamp" not in shown["metadata"]


@pytest.mark.parametrize("command", ["create", "apply"])
def test_a_dry_run_creates_nothing(kubectl, new_name, command):
    """Although the object is validated."""
    output = kubectl(command, "--dry-run=server", "-f", "-", document=cloudspace(new_name))
    assert output == f"cloudspace.ngpc.rxt.io/{new_name} created (server dry run)\n"
    assert new_name not in kubectl("get", "cs", "-o", "name")


def test_an_invalid_token_is_reported(kubectl):
    """kubectl translates the 401."""
    config = json.loads((kubectl.folder / "kubeconfig").read_text())
    config["users"][0]["user"]["token"] = "wrong"
    wrong = kubectl.folder / "wrong"
    wrong.write_text(json.dumps(config))
    output = kubectl.refused("--kubeconfig", str(wrong), "get", "cloudspaces")
    assert "error: You must be logged in to the server" in output


def test_another_namespace_is_forbidden(kubectl, new_name):
    """For reads and for writes."""
    output = kubectl.refused("get", "cloudspaces", "-n", "elsewhere")
    assert 'cannot list resource "cloudspaces" in API group "ngpc.rxt.io" in the namespace "elsewhere"' in output
    document = cloudspace(new_name)
    output = kubectl.refused("create", "-n", "elsewhere", "-f", "-", document=document)
    assert "Error from server (Forbidden)" in output
    assert 'cannot create resource "cloudspaces"' in output


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("create cloudspaces", "yes"),
        ("delete snp/some", "yes"),
        ("list regions -A", "yes"),
        ("list namespaces -A", "yes"),
        ("get /apis", "yes"),
        ("create regions -A", "no"),
        ("create namespaces -A", "no"),
        ("create cloudspaces -n elsewhere", "no"),
    ],
)
def test_auth_can_i(kubectl, question, answer):
    """What the service would permit; the exit code says it too."""
    run = kubectl if answer == "yes" else kubectl.refused
    assert answer in run("auth", "can-i", *question.split()).splitlines()


def test_auth_lists_permissions_and_the_caller(kubectl):
    """With `can-i --list` and `whoami`."""
    lines = {line.split()[0]: line for line in kubectl("auth", "can-i", "--list").splitlines()}
    assert "create" in lines["cloudspaces.ngpc.rxt.io"]
    assert lines["regions.ngpc.rxt.io"].endswith("[get list watch]")
    assert "sandbox@example.com" in kubectl("auth", "whoami")


def test_namespaces_are_those_of_the_tenant(kubectl):
    """One, with the printer columns of a real server."""
    heading, row = (line.split() for line in kubectl("get", "ns").splitlines())
    assert (heading, row[:2]) == (["NAME", "STATUS", "AGE"], ["org-sandbox000000001", "Active"])
    assert "FIELDS:" in kubectl("explain", "namespace")


def test_objects_of_the_operators_are_read_only(kubectl):
    """A tenant cannot change them."""
    output = kubectl.refused("label", "region", "us-central-ord-1", "mine=true")
    assert 'cannot patch resource "regions" in API group "ngpc.rxt.io" at the cluster scope' in output


def test_the_error_names_a_missing_object(kubectl):
    """So that a typo is visible."""
    output = kubectl.refused("delete", "cloudspace", "nobody")
    assert output == 'Error from server (NotFound): cloudspaces.ngpc.rxt.io "nobody" not found\n'


def test_get_reports_a_missing_object(kubectl):
    """A real server refuses to show the namespace, and kubectl then reports the object."""
    output = kubectl.refused("get", "cloudspace", "nobody")
    assert output == 'Error from server (NotFound): cloudspaces.ngpc.rxt.io "nobody" not found\n'


# JSONPath


@pytest.mark.parametrize(
    "template",
    [
        "{.kind} {.items[*].metadata.name}",
        '{range .items[*]}{.metadata.name}{"\\t"}{.spec.country}{"\\n"}{end}',
        '{.items[?(@.spec.country=="USA")].metadata.name}',
        "{.items[0].spec}",
        "{.items[-1:].spec.nothing}",
    ],
)
def test_rsspot_prints_a_template_as_kubectl_does(kubectl, template, capsys, monkeypatch):
    """On the same list: that of the regions, which both sort by name."""
    described = json.loads((kubectl.folder / "ready.json").read_text())
    monkeypatch.setenv("HOME", str(kubectl.folder))
    for name in ("base_url", "oauth_url", "feeds_url", "refresh_token"):
        monkeypatch.setenv(f"RSSPOT_{name.upper()}", described[name])
    assert run(["regions", "list", "-o", f"jsonpath={template}"]) == 0
    assert capsys.readouterr().out == kubectl("get", "regions", "-o", f"jsonpath={template}")
