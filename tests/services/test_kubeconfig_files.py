"""A kubeconfig merged into files that other people's clusters are in, too."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from rsspot.cli.app import run
from rsspot.errors import ConfigError
from rsspot.services.cloudspaces.kubeconfig import merge
from support.shell import CLOUDSPACE, write

OWNER = "org-1/edge"
OURS = ("acme-edge", "acme-edge-oidc")
THEIRS = """\
# my clusters, do not touch
apiVersion: v1
kind: Config
preferences: {colors: true,
              theirs: [ 0x1F , 1_000 ]}   # wide

clusters:
# the first
- cluster: {server: "https://10.0.0.1:6443"}  # by hand
  name: 'prod'

users:
- name: prod
  user:
      auth-provider:
          name: gcp
          config: {access-token: redacted, expiry: 2017-05-24T19:57:52.1+01:00, none: , tilde: ~}
      client-key-data: >-
          folded
          text
      note: |+
          kept

contexts:
- name: prod
  context: {cluster: prod, user: prod}
  # between
- {name: two, context: {cluster: prod, user: prod}}
# the last
current-context: prod
zebra: {a: null}
# trailer
"""


def given(server: str = "https://hcp-1", token: str = "t1") -> str:
    """A kubeconfig as the service makes it."""
    contexts = [
        {"name": name, "context": {"cluster": "acme-edge", "user": user, "namespace": "1e3"}}
        for name, user in zip(OURS, ("ngpc-user", "oidc"), strict=True)
    ]
    users = [{"name": "ngpc-user", "user": {"token": token}}, {"name": "oidc", "user": {"exec": {"env": None}}}]
    clusters = [{"name": "acme-edge", "cluster": {"server": server}}]
    config = {"clusters": clusters, "users": users, "contexts": contexts, "current-context": "acme-edge"}
    return json.dumps(config)


def named(path: Path, plural: str) -> dict[str, Any]:
    """The entries of a file by name, as kubectl reads them."""
    entries = yaml.safe_load(path.read_text(encoding="utf-8-sig"))[plural]
    assert len({entry["name"] for entry in entries}) == len(entries)
    return {entry["name"]: entry[plural.removesuffix("s")] for entry in entries}


def file_with(folder: Path, text: str, name: str = "config") -> Path:
    """A kubeconfig file with this text, byte by byte."""
    path = folder / name
    path.write_bytes(text.encode())
    return path


def is_within(before: str, after: str) -> bool:
    """Whether every line of a text is still there, in order and to the byte."""
    lines = iter(after.splitlines(keepends=True))
    return all(line in lines for line in before.splitlines(keepends=True))


# What stays


@pytest.mark.parametrize("text", [THEIRS, THEIRS.replace("\n", "\r\n"), THEIRS.replace("redacted", "'é😀'")])
def test_every_line_of_others_stays_to_the_byte(tmp_path: Path, text: str) -> None:
    """Comments, timestamps, folded lines and spellings of null, also when our entries are replaced."""
    path = file_with(tmp_path, text)
    for token in ("t1", "t2"):
        merge(given(token=token), path, owner=OWNER)
        after = path.read_bytes().decode()
        assert is_within(text, after)
        assert after.count("\n") == after.count("\r\n") or "\r" not in after
        assert named(path, "users")["acme-edge-ngpc-user"] == {"token": token}
    assert set(named(path, "contexts")) == {"prod", "two", *OURS}
    assert named(path, "contexts")["acme-edge"]["namespace"] == "1e3"


LAYOUTS = {
    "indented": "clusters:\n    - {name: prod, cluster: {server: x}} # c\nusers:\n    -\n      # who\n      name: a\n",
    "flow": "{clusters: [{name: prod, cluster: {server: x}}], users: [], contexts: null}",
    "json": json.dumps({"kind": "Config", "clusters": [{"name": "prod", "cluster": {}}], "users": None}, indent=4),
    "json of nothing": "{}",
    "empty lists": "clusters: []  # none\nusers:\ncontexts: null # none\ncurrent-context: ''\n",
    "no line end": "clusters:\n- {name: prod, cluster: {server: x}}",
    "ends": "---\nclusters:\n- {name: prod, cluster: {server: x}}\n...\n",
    "comments only": "# none yet\n",
    "a literal at the end": "users:\n- user: {}\n  name: |-\n    prod\n\n\n# end\n",
    "an anchor": "clusters:\n- name: prod\n  cluster: &c {server: x}\n- {name: two, cluster: *c}\n",
}


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS)
def test_every_layout_takes_our_entries(tmp_path: Path, text: str) -> None:
    """Again and again: the second merge changes the token and nothing else."""
    path = file_with(tmp_path, text)
    before = yaml.safe_load(text) or {}
    for token in ("t1", "t2"):
        merge(given(token=token), path, owner=OWNER)
    once = path.read_text()
    assert once.count("t2") == 1 and "t1" not in once
    after = yaml.safe_load(once)
    for plural in ("clusters", "users", "contexts"):
        theirs = before.get(plural) or []
        assert after[plural][: len(theirs)] == theirs
        assert len(after[plural]) == len(theirs) + (1 if plural == "clusters" else 2)
    assert after["current-context"] == "acme-edge" and after["kind"] == "Config"
    assert all(line in once for line in text.splitlines() if line.startswith("#"))


def test_a_byte_order_mark_is_no_part_of_a_key(tmp_path: Path) -> None:
    """As Notepad writes it."""
    path = file_with(tmp_path, "\ufeff" + THEIRS)
    merge(given(), path, owner=OWNER)
    assert is_within(THEIRS, path.read_text())


# Whose entry it is

FOREIGN = {
    "cluster": ("cluster", "clusters:\n- {name: acme-edge, cluster: {server: 'https://theirs'}}\n"),
    "context": ("context", "contexts:\n- {name: acme-edge-oidc, context: {cluster: prod, user: prod}}\n"),
    "user": ("user", "users:\n- {name: acme-edge-ngpc-user, user: {token: theirs}}\n"),
    "user of others": (
        "user",
        "users:\n- {name: acme-edge-oidc, user: {}}\n"
        "contexts:\n- {name: x, context: {cluster: prod, user: acme-edge-oidc}}\n",
    ),
    "of another service": (
        "cluster",
        "clusters:\n- name: acme-edge\n  cluster:\n    server: 'https://theirs'\n"
        "    extensions: [{name: rsspot, extension: {cloudspace: org-2/edge}}]\n",
    ),
}


@pytest.mark.parametrize(("kind", "text"), FOREIGN.values(), ids=FOREIGN)
def test_an_entry_of_somebody_else_is_never_replaced(tmp_path: Path, kind: str, text: str) -> None:
    """The error names it and the way out, which works."""
    path = file_with(tmp_path, text)
    with pytest.raises(ConfigError, match=f"config has a {kind} 'acme-edge") as caught:
        merge(given(), path, owner=OWNER)
    assert caught.value.hint == "merge it under another name with --context NAME"
    assert path.read_text() == text
    assert merge(given(), path, owner=OWNER, context="other") == "other"
    assert is_within(text, path.read_text())
    assert named(path, "contexts")["other-oidc"] == {"cluster": "other", "user": "other-oidc", "namespace": "1e3"}
    assert named(path, "clusters")["other"]["server"] == "https://hcp-1"
    assert named(path, "users")["other-ngpc-user"] == {"token": "t1"}


def test_a_cloudspace_that_was_made_anew_replaces_its_old_entries(tmp_path: Path) -> None:
    """It has another server, but the entry has our mark."""
    path = file_with(tmp_path, THEIRS)
    merge(given(), path, owner=OWNER)
    merge(given("https://hcp-2", "t2"), path, owner=OWNER)
    assert named(path, "clusters")["acme-edge"]["server"] == "https://hcp-2"
    assert is_within(THEIRS, path.read_text())


def test_an_entry_of_the_same_server_is_replaced(tmp_path: Path) -> None:
    """Whoever wrote it: it is about the same cluster."""
    text = (
        "clusters: [{name: acme-edge, cluster: {server: 'https://hcp-1'}}]\n"
        "contexts: [{name: acme-edge, context: {cluster: acme-edge, user: acme-edge-ngpc-user}}]\n"
        "users: [{name: acme-edge-ngpc-user, user: {token: old}}]\n"
    )
    path = file_with(tmp_path, text)
    merge(given(), path, owner=OWNER)
    assert named(path, "users")["acme-edge-ngpc-user"] == {"token": "t1"}


def test_a_login_left_over_from_a_deleted_context_is_replaced(tmp_path: Path) -> None:
    """Tools that delete a context leave its user behind."""
    path = tmp_path / "config"
    merge(given(), path, owner=OWNER)
    config = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**config, "contexts": []}))
    merge(given(token="t2"), path, owner=OWNER)
    assert named(path, "users")["acme-edge-ngpc-user"] == {"token": "t2"}


# Files that cannot be used

ODD = {
    "a word for an entry": ("clusters:\n- prod\n", "line 2: an entry of `clusters` is not a mapping"),
    "a number for a list": ("users: 5\n", "line 1: `users` is not a list"),
    "a number for a name": ("a: 1\nclusters: [{name: 5}]\n", "line 2: the name of a cluster is not text"),
    "a list for a name": ("contexts: [{name: [a]}]\n", "line 1: the name of a context is not text"),
    "a name twice": ("users:\n- {name: a}\n- {name: a}\n", "line 3: a second user of the same name"),
    "a key twice": ("users: []\nusers: []\n", "line 2, column 1: a key is written twice"),
    "a tag": ("a: !mine x\n", "line 1, column 4: this tag is not allowed"),
    "code": ("a: !!python/object/apply:os.system [id]\n", "line 1, column 4: this tag is not allowed"),
    "two documents": ("a: 1\n---\nb: 1\n", "line 2, column 1: not valid YAML"),
    "deep": ("[" * 100_000, "nested deeper than 64 levels"),
    "a cycle": ("a: &a [*a]\n", "nested deeper than 64 levels"),
    "huge": ("#" * (16 * 1024 * 1024 + 1), "larger than 16 MiB"),
    "not UTF-8": ("a: \udcff", "not UTF-8 (byte 3)"),
    "a null byte": ("a: \x00", "not valid YAML"),
    "text": ("token-canary\n", "it is not a mapping"),
}


@pytest.mark.parametrize(("text", "hint"), ODD.values(), ids=ODD)
def test_an_odd_file_is_refused_and_stays(tmp_path: Path, text: str, hint: str) -> None:
    """With the reason, and without quoting it. What kubectl cannot read would not become better by our entries."""
    path = tmp_path / "config"
    content = text.encode(errors="surrogateescape")
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="config is not a kubeconfig; it was not changed") as caught:
        merge(given(), path, owner=OWNER)
    assert caught.value.hint == hint
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "text",
    [
        "x: &x []\nclusters: *x\n",
        "x: &x\n- {name: a}\nusers: *x\n",
        "base: &b {clusters: [{name: a}]}\n<<: *b\n",
        "clusters:\n- &c {name: acme-edge, cluster: {server: 'https://hcp-1'}}\nmine: *c\n",
    ],
)
def test_a_layout_that_cannot_be_changed_in_place_is_refused(tmp_path: Path, text: str) -> None:
    """An alias stands for text that belongs to something else as well."""
    path = file_with(tmp_path, text)
    with pytest.raises(ConfigError, match="cannot be changed in place"):
        merge(given(), path, owner=OWNER)
    assert path.read_text() == text


def test_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    """And a pipe, which would keep the command waiting."""
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(ConfigError, match="loop"):
        merge(given(), tmp_path / "loop")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match=r"cannot write .*pipe: not a regular file"):
        merge(given(), tmp_path / "pipe")


# Several files, as in KUBECONFIG


def test_new_entries_go_to_the_first_file_that_exists_or_else_to_the_last(tmp_path: Path) -> None:
    """As kubectl does it."""
    first, second = tmp_path / "a", tmp_path / "b"
    merge(given(), [first, second], owner=OWNER)
    assert not first.exists() and set(named(second, "contexts")) == {*OURS}
    second.unlink()
    first.write_text("")
    second.write_text(THEIRS)
    merge(given(), [first, second], owner=OWNER)
    assert set(named(first, "contexts")) == {*OURS} and second.read_text() == THEIRS
    assert "current-context" not in yaml.safe_load(first.read_text())


def test_an_entry_is_replaced_in_the_file_that_has_it(tmp_path: Path) -> None:
    """Each on its own; a file that needs no change is not even locked."""
    first, second = file_with(tmp_path, THEIRS, "a"), tmp_path / "b"
    merge(given(), second, owner=OWNER)
    merge(given(token="t2"), [first, second], owner=OWNER)
    assert first.read_text() == THEIRS and named(second, "users")["acme-edge-ngpc-user"] == {"token": "t2"}
    assert not (tmp_path / ".a.lock").exists()
    config = yaml.safe_load(second.read_text())
    file_with(tmp_path, yaml.safe_dump({"users": config.pop("users")}), "c")
    second.write_text(yaml.safe_dump(config))
    merge(given(token="t3"), [first, second, tmp_path / "c"], owner=OWNER)
    assert named(tmp_path / "c", "users")["acme-edge-ngpc-user"] == {"token": "t3"}
    assert first.read_text() == THEIRS


def test_an_entry_of_somebody_else_in_any_file_stops_the_merge(tmp_path: Path) -> None:
    """None of the files is changed."""
    first, second = file_with(tmp_path, THEIRS, "a"), file_with(tmp_path, FOREIGN["context"][1], "b")
    with pytest.raises(ConfigError, match="b has a context 'acme-edge-oidc'"):
        merge(given(), [first, second], owner=OWNER)
    assert (first.read_text(), second.read_text()) == (THEIRS, FOREIGN["context"][1])


# On the command line


@pytest.fixture
def ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A working directory with a cloudspace `edge` in the sandbox."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RSSPOT_SANDBOX", str(tmp_path / "sandbox"))
    monkeypatch.chdir(tmp_path)
    assert run(["--sandbox", "apply", write(CLOUDSPACE), "--yes"]) == 0
    capsys.readouterr()
    return tmp_path


def test_the_command_takes_a_list_of_files(ready: Path) -> None:
    """Separated like KUBECONFIG; empty parts do not count."""
    command = ["--sandbox", "cloudspaces", "kubeconfig", "edge", "--merge-into"]
    assert run([*command, os.pathsep.join(["", "a", "b", "a"])]) == 0
    assert not (ready / "a").exists() and "sandbox-edge" in named(ready / "b", "contexts")
    assert run([*command, "b", "--context", "mine"]) == 0
    assert {"mine", "mine-oidc"} < set(named(ready / "b", "contexts"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--merge-into", os.pathsep], "no kubeconfig file"), (["--context", "x"], "--context needs --merge-into")],
)
@pytest.mark.usefixtures("ready")
def test_unusable_options_are_refused(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    """With exit code 3."""
    assert run(["--sandbox", "cloudspaces", "kubeconfig", "edge", *arguments]) == 3
    assert message in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kubectl_reads_what_was_merged(tmp_path: Path) -> None:
    """And keeps our mark when it writes the file itself."""
    path = file_with(tmp_path, THEIRS.split("client-key-data", maxsplit=1)[0] + "other: 1\n" + "contexts: []\n")
    merge(given(), path, owner=OWNER)
    environ = {**os.environ, "KUBECONFIG": str(path)}
    for command in (["get-contexts", "-o", "name"], ["use-context", "acme-edge"]):
        done = subprocess.run(
            ["kubectl", "config", *command], env=environ, capture_output=True, text=True, timeout=60, check=True
        )
        assert "acme-edge" in done.stdout
    merge(given("https://hcp-2"), path, owner=OWNER)
    assert named(path, "clusters")["acme-edge"]["server"] == "https://hcp-2"
