"""The command drift: what others did, apart from what is not applied yet; it writes nothing and tells a program."""

from __future__ import annotations

import json
import os
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from rsspot.cli.app import run
from rsspot.http.transport import SpotTransport
from support.shell import Command

STACK = """apiVersion: rsspot.dev/v1
kind: Stack
metadata: {name: mine}
---
apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata: {name: edge}
spec: {region: us-central-dfw-1, kubernetesVersion: 1.32.0}
---
apiVersion: ngpc.rxt.io/v1
kind: SpotNodePool
metadata: {name: workers}
spec: {cloudSpace: edge, serverClass: gp.vs1.medium-dfw, desired: 2, bidPrice: 0.06}
"""
KEY = """---
apiVersion: ngpc.rxt.io/v1
kind: VMSSHKey
metadata: {name: mine}
spec: {publicKey: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA7cpFqXSm1nXqFvUoKPBRHdJVWEJ+RbM0AEEI5vs0PT}
"""


@pytest.fixture
def applied(rsspot: Command) -> Command:
    """The stack, applied."""
    write(STACK + KEY)
    rsspot("apply stack.yaml --yes --wait none")
    return rsspot


def write(text: str) -> None:
    Path("stack.yaml").write_text(text)


def by_console(rsspot: Command, body: str, plural: str = "cloudspaces", name: str = "edge") -> None:
    """A change by another program, which the service writes down."""
    objects = json.loads(rsspot(f"{plural} list -o json"))
    namespace = objects[0]["metadata"]["namespace"]
    path = f"/apis/ngpc.rxt.io/v1/namespaces/{namespace}/{plural}/{name}?fieldManager=console"
    rsspot(f"raw --method PATCH --path {path} --body-json '{body}'")


def report(rsspot: Command, code: int, line: str = "drift stack.yaml") -> dict[str, list[tuple[str, str]]]:
    """What drifted and what is not applied yet, as address and action."""
    document = json.loads(rsspot(f"{line} -o json", code))
    assert document["command"] == "drift"
    return {key: [(each["address"], each["action"]) for each in document[key]] for key in ("drifted", "changes")} | {
        "undeclared": document["undeclared"]
    }


def test_what_is_as_applied_is_no_drift(applied: Command) -> None:
    assert "No drift." in applied("drift stack.yaml")
    assert "No drift." in applied("drift --stack mine")


def test_what_others_did_is_told_apart_from_what_is_declared(applied: Command) -> None:
    """A field of each sort on one object, an object that is gone, and one that was never applied."""
    by_console(applied, '{"spec": {"webhook": "https://x.example"}}')  # declared nowhere
    by_console(applied, '{"spec": {"kubernetesVersion": "1.33.0"}}')
    applied("vmsshkeys delete mine --yes")
    write(STACK.replace("bidPrice: 0.06", "bidPrice: 0.07") + KEY + KEY.replace("name: mine", "name: new"))
    assert report(applied, 2) == {
        "drifted": [("cloudspace/edge", "update"), ("vmsshkey/mine", "delete")],
        "changes": [("spotnodepool/edge/workers", "update"), ("vmsshkey/new", "create")],
        "undeclared": [],
    }
    printed = applied("drift stack.yaml", 2)
    assert "1.32.0 -> 1.33.0   changed by console at 20" in printed
    assert "Declared, and not applied yet" in printed and "0.06 -> 0.07" in printed
    assert "2 drifted; 1 to create, 1 to update: declared and not applied yet." in printed


def test_what_another_command_of_ours_changed_is_drift(applied: Command) -> None:
    """The service says that it was this program; the ledger, that it was no apply of this stack."""
    applied("""cloudspaces patch edge '{"kubernetesVersion": "1.33.0"}'""")
    assert "cloudspace/edge  update: changed by somebody else" in applied("drift stack.yaml", 2)


def test_what_is_only_not_applied_yet_is_no_drift(applied: Command) -> None:
    """Unless it is asked for."""
    write(STACK.replace("bidPrice: 0.06", "bidPrice: 0.07"))
    assert report(applied, 0) == {
        "drifted": [],
        "changes": [("spotnodepool/edge/workers", "update")],
        "undeclared": ["vmsshkey/mine"],
    }
    applied("drift stack.yaml --unapplied", 2)


def test_what_was_accepted_into_the_manifests_is_no_drift(applied: Command) -> None:
    """A change by hand that somebody then declares, and an object that goes from both."""
    by_console(applied, '{"spec": {"kubernetesVersion": "1.33.0"}}')
    applied("vmsshkeys delete mine --yes")
    write(STACK.replace("1.32.0", "1.33.0"))
    assert report(applied, 0) == {"drifted": [], "changes": [], "undeclared": []}


def test_a_field_that_both_changed_is_drift_and_not_applied(applied: Command) -> None:
    by_console(applied, '{"spec": {"kubernetesVersion": "1.33.0"}}')
    write(STACK.replace("1.32.0", "1.31.1") + KEY)
    found = json.loads(applied("drift stack.yaml -o json", 2))
    (drifted,), (left,) = found["drifted"][0]["diff"], found["changes"][0]["diff"]
    assert (drifted["before"], drifted["after"], drifted["by"]) == ("1.32.0", "1.33.0", "console")
    assert (left["before"], left["after"]) == ("1.33.0", "1.31.1")


def test_ignored_fields_and_those_of_autoscalers_are_no_drift(rsspot: Command) -> None:
    ignoring = STACK.replace(
        "metadata: {name: edge}", "metadata: {name: edge, annotations: {rsspot.dev/ignore: VERSION}}"
    )
    write(
        ignoring.replace("VERSION", "spec.kubernetesVersion").replace(
            "desired: 2", "desired: 2, autoscaling: {enabled: true, minNodes: 1, maxNodes: 5}"
        )
    )
    rsspot("apply stack.yaml --yes --wait none")
    by_console(rsspot, '{"spec": {"kubernetesVersion": "1.33.0"}}')
    (pool,) = json.loads(rsspot("spotnodepools list -o json"))
    by_console(rsspot, '{"spec": {"desired": 4}}', "spotnodepools", pool["metadata"]["name"])
    assert report(rsspot, 0) == {"drifted": [], "changes": [], "undeclared": []}


def test_an_object_that_somebody_made_under_the_label_is_drift(applied: Command) -> None:
    """As a clone by another program is; one of ours that was taken out of the manifests is not."""
    (key,) = json.loads(applied("vmsshkeys list -o json"))
    clone = {
        "apiVersion": key["apiVersion"],
        "kind": key["kind"],
        "metadata": {"name": "clone", "labels": key["metadata"]["labels"]},
        "spec": key["spec"],
    }
    path = f"/apis/ngpc.rxt.io/v1/namespaces/{key['metadata']['namespace']}/vmsshkeys?fieldManager=console"
    applied(f"raw --method POST --path {path} --body-json '{json.dumps(clone)}'")
    assert report(applied, 2)["drifted"] == [("vmsshkey/clone", "create")]
    assert "made by somebody else" in applied("drift stack.yaml", 2)


def test_a_label_that_was_taken_off_is_drift(applied: Command) -> None:
    by_console(applied, '{"metadata": {"labels": {"rsspot.dev/stack": null}}}', "vmsshkeys", "mine")
    assert report(applied, 2)["drifted"] == [("vmsshkey/mine", "update")]


def test_without_a_record_the_service_tells_who_wrote_a_field(applied: Command, tmp_path: Path) -> None:
    """As in a job that begins with an empty ledger. What this program wrote last is not applied yet, the rest drift."""
    by_console(applied, '{"spec": {"kubernetesVersion": "1.33.0"}}')
    applied("vmsshkeys delete mine --yes")
    applied("ledger export ledger.json")
    (state,) = tmp_path.rglob("state.db")
    for file in state.parent.glob("state.db*"):
        file.unlink()
    write(STACK.replace("bidPrice: 0.06", "bidPrice: 0.07") + KEY)
    assert report(applied, 2) == {
        "drifted": [("cloudspace/edge", "update"), ("vmsshkey/mine", "delete")],
        "changes": [("spotnodepool/edge/workers", "update")],
        "undeclared": [],
    }
    assert "no record says what was applied" in applied("drift stack.yaml", 2)
    assert "on record" in applied("drift --stack mine", 1)


def test_a_kind_that_cannot_be_read_is_no_report(applied: Command) -> None:
    applied("simulator faults --add 'GET spotnodepools: 403 always'")
    for line in ("drift stack.yaml", "drift --stack mine"):
        assert "spotnodepools" in applied(line, 5)


def test_a_selection_looks_at_a_part(applied: Command) -> None:
    by_console(applied, '{"spec": {"kubernetesVersion": "1.33.0"}}')
    assert report(applied, 0, "drift stack.yaml --exclude 'cloudspace/*'")["drifted"] == []
    assert report(applied, 2, "drift stack.yaml --target 'cloudspace/*'")["drifted"] == [("cloudspace/edge", "update")]


def test_no_write_leaves_the_session(applied: Command, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    """Whatever the code would do: here it tries to delete something on the way."""
    from rsspot.http.transport import Call
    from rsspot.workflows import drift

    usual, tried = drift.read_and_plan, []

    async def meddling(client, *given, **options):
        tried.append(client.session.read_only)
        namespace = await client.organization.namespace()
        await client.session.send(Call("DELETE", f"/apis/ngpc.rxt.io/v1/namespaces/{namespace}/cloudspaces/edge"))
        return await usual(client, *given, **options)

    monkeypatch.setattr(drift, "read_and_plan", meddling)
    assert "a write was refused, and nothing was sent" in applied("drift stack.yaml", 1)
    assert tried == [True]
    assert [each["metadata"]["name"] for each in json.loads(applied("cloudspaces list -o json"))] == ["edge"]


def test_a_report_of_drift_is_not_applied(applied: Command) -> None:
    """It looks like a plan, and tells only a part of one."""
    write(STACK.replace("bidPrice: 0.06", "bidPrice: 0.07") + KEY)
    applied("drift stack.yaml --report json=drift.json")
    assert "Drift of" in applied("show drift.json -o html") and "No drift" in applied("show drift.json")
    assert "a report of drift is no plan to apply" in applied("apply --plan drift.json --yes", 3)


def test_every_format_tells_it(applied: Command) -> None:
    by_console(applied, '{"spec": {"kubernetesVersion": "1.33.0"}}')
    formats = {"text": "txt", "markdown": "md", "html": "html", "sarif": "sarif", "junit": "xml", "json": "json"}
    applied("drift stack.yaml " + " ".join(f"--report {name}=r.{end}" for name, end in formats.items()), 2)
    markdown = Path("r.md").read_text()
    assert markdown.startswith("<!-- rsspot:drift:mine -->\n\n## Drift of `mine`")
    assert "### Since the last apply, somebody else changed 1 object" in markdown
    assert "+     kubernetesVersion: 1.33.0" in markdown
    assert '"verb":"changed"' in Path("r.html").read_text()
    (result,) = json.loads(Path("r.sarif").read_text())["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("drift-changed", "warning")
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "stack.yaml"
    suite = ET.parse("r.xml").getroot()
    assert suite.get("failures") == "1" and suite.find(".//failure").get("type") == "drift"  # type: ignore[union-attr]


# Telling a program


def notifier(file: str, body: str = "") -> str:
    """A program that keeps what it is given, as a command line."""
    Path(file).write_text(
        f"import os, sys, json, time\nsaid = sys.stdin.read()\nopen('{file}.got', 'w').write(said)\n{body}\n"
    )
    return f"{sys.executable} {file}"


def test_a_program_is_told_of_drift_alone(applied: Command) -> None:
    """With what -o json prints; without drift only if that is wanted."""
    command = notifier("tell.py")
    applied(f"drift stack.yaml --notify-cmd '{command}'")
    assert not Path("tell.py.got").exists()
    applied(f"drift stack.yaml --notify-on always --notify-cmd '{command}'")
    assert json.loads(Path("tell.py.got").read_text())["drifted"] == []
    Path("tell.py.got").unlink()
    write(STACK.replace("bidPrice: 0.06", "bidPrice: 0.07") + KEY)
    applied(f"drift stack.yaml --notify-on unapplied --notify-cmd '{command}'")
    assert Path("tell.py.got").exists()
    by_console(applied, '{"spec": {"kubernetesVersion": "1.33.0"}}')
    printed = applied(f"drift stack.yaml -o json --notify-cmd '{command}'", 2)
    assert json.loads(Path("tell.py.got").read_text()) == json.loads(printed)


@pytest.mark.parametrize(
    ("command", "body", "said"),
    [
        (None, "sys.exit(4)", "failed (4)"),
        (None, "os.kill(os.getpid(), 9)", "failed (-9)"),
        ("./missing secret-argument", "", "cannot be run: No such file or directory"),
        ("./tell.py secret-argument", "", "cannot be run: Permission denied"),
    ],
)
def test_a_program_that_fails_is_named_after_the_report(
    applied: Command, command: str | None, body: str, said: str
) -> None:
    """With exit code 1, and without its arguments."""
    by_console(applied, '{"spec": {"kubernetesVersion": "1.33.0"}}')
    line = command or f"{notifier('tell.py', body)} secret-argument"
    Path("tell.py").touch()
    printed = applied(f"drift stack.yaml --notify-cmd '{line}'", 1)
    assert "1 drifted" in printed and said in printed and "secret-argument" not in printed


def test_a_program_that_hangs_is_ended_with_all_that_it_started(applied: Command) -> None:
    by_console(applied, '{"spec": {"kubernetesVersion": "1.33.0"}}')
    child = """import subprocess
child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])
open('pid', 'w').write(str(child.pid))
child.wait()"""
    command = notifier("tell.py", child)
    printed = applied(f"drift stack.yaml --notify-timeout 2s --notify-cmd '{command}'", 1)
    assert "did not end within 2 s" in printed and "--notify-timeout" in printed
    if Path("pid").exists():
        with pytest.raises(ProcessLookupError):
            _wait_for_death(int(Path("pid").read_text()))


def _wait_for_death(pid: int) -> None:
    """Ends with ProcessLookupError once there is no such process, or one that only waits to be taken note of."""
    while True:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat")
        if state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z":
            raise ProcessLookupError


def test_a_program_that_reads_nothing_is_no_failure(applied: Command) -> None:
    by_console(applied, '{"spec": {"kubernetesVersion": "1.33.0"}}')
    applied("drift stack.yaml --notify-cmd true", 2)


def test_a_program_does_not_get_our_credentials(applied: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    by_console(applied, '{"spec": {"kubernetesVersion": "1.33.0"}}')
    monkeypatch.setenv("RSSPOT_REFRESH_TOKEN", "very-secret")
    monkeypatch.setenv("SLACK_HOOK", "its-own")
    command = notifier("tell.py", "open('env', 'w').write(json.dumps(dict(os.environ)))")
    applied(f"drift stack.yaml --notify-cmd '{command}'", 2)
    environ = json.loads(Path("env").read_text())
    assert environ["SLACK_HOOK"] == "its-own" and "very-secret" not in environ.values()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--notify-on sometimes", "--notify-on takes"),
        ("--notify-timeout soon", "not a valid duration"),
        ("""--notify-cmd 'a "b'""", "not closed"),
        ("--notify-cmd ''", "names no program"),
        ("--stack mine", "cannot combine"),
    ],
)
def test_what_cannot_be_meant_is_refused(applied: Command, options: str, said: str) -> None:
    assert said in applied(f"drift stack.yaml {options}", 3)


def test_every_other_session_may_write() -> None:
    """The mark is that of one client, not of the class."""
    assert not hasattr(SpotTransport, "read_only")
    assert run(["drift"]) == 3
