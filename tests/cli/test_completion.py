"""Shell completion: the words that may follow, from the table and from what earlier commands have left."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rsspot.cli import completing
from rsspot.cli.app import run
from rsspot.cli.command_tree import command_tree
from rsspot.cli.completion import SCRIPTS
from rsspot.cli.completion_table import source
from rsspot.cli.completion_words import TABLE
from rsspot.cli.live_names import live_names, stop_in_time
from rsspot.cli.sandbox import folder
from rsspot.resources.registry import kinds
from support.no_account import without_account
from support.shell import STACK, write

ROOT = Path(__file__).parents[2]


def completed(*words: str) -> list[str]:
    """The words that may stand in the place of the last one."""
    found = completing.complete(list(words), TABLE, live_names)
    return [completing.FILES] if found is None else list(found)


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    without_account(monkeypatch)


# The table


def test_the_table_is_up_to_date() -> None:
    """`make reference` writes it."""
    written = ROOT / "src" / "rsspot" / "cli" / "completion_words.py"
    assert written.read_text(encoding="utf-8") == source(), "run `make reference`"


def test_every_command_is_in_the_table() -> None:
    """With all its options, also where a group has another name."""
    for node in command_tree().walk():
        entry = TABLE["commands"][" ".join(node.words)]
        assert set(entry["options"]) >= {name for option in node.options for name in option.opts}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["val"], ["validate"]),
        (["--sandbox", "-p", "ci", "val"], ["validate"]),
        (["nodepools", "s"], ["spot"]),
        (["nodepools", "spot", "cre"], ["create"]),
        (["server-classes", "wa"], ["watch"]),
        (["cloudspace", "upg"], ["upgrade"]),
        (["plan", "--out", ""], ["files"]),
        (["plan", "--out=x"], ["files"]),
        (["plan", "inf"], ["files"]),
        (["plan", "a", "b", ""], ["files"]),
        (["plan", "--pru"], ["--prune"]),
        (["plan", "--max-deletes", ""], []),
        (["plan", "-o", ""], ["table", "wide", "json", "yaml", "name", "csv", "jsonpath="]),
        (["plan", "--output=js"], ["--output=json", "--output=jsonpath="]),
        (["plan", "--output", "=", "js"], ["json", "jsonpath="]),
        (["plan", "--output", "="], ["table", "wide", "json", "yaml", "name", "csv", "jsonpath="]),
        (["plan", "--no-ca", "--org", "x", "--no-ca"], ["--no-cache"]),
        (["-c", ""], ["files"]),
        (["explain", "Sp"], ["SpotNodePool"]),
        (["schema", "VMP"], ["VMPool"]),
        (["schema", "VMPool", ""], []),
        (["nonsense", ""], completed("")),
        (["simulator", "run", "--", ""], []),
        (["plan", "--", "--pru"], ["files"]),
        (["completion", "z"], ["zsh"]),
        (["help", "nodepools", "s"], ["spot"]),
        (["help", "cs", "upg"], ["upgrade"]),
        (["help", "plan", ""], []),
        (["man", "doct"], ["doctor"]),
        (["config", "set-default", "o"], ["org"]),
        (["config", "unset-default", ""], ["profile", "org", "region"]),
        (["schema", "SpotNodePool."], []),
    ],
)
def test_words_are_completed(words: list[str], expected: list[str]) -> None:
    assert completed(*words) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("SpotNodePool.bid", ["SpotNodePool.bidPrice"]),
        ("SpotNodePool.spec.bid", ["SpotNodePool.spec.bidPrice"]),
        ("spotnodepool.auto", ["spotnodepool.autoscaling"]),
        ("snp.autoscaling.m", ["snp.autoscaling.minNodes", "snp.autoscaling.maxNodes"]),
        ("cs.metadata.lab", ["cs.metadata.labels"]),
        ("Stack.limits.deletes", ["Stack.limits.deletes"]),
        ("SpotNodePool.bidPrice.", []),
        ("Nothing.", []),
        (".", []),
    ],
)
def test_fields_of_a_kind_are_completed(word: str, expected: list[str]) -> None:
    """One level at a time; those of the spec also without it."""
    assert completed("explain", word) == expected


def test_all_fields_that_are_offered_can_be_explained() -> None:
    """Those of the kind and those of its spec."""
    offered = completed("explain", "SpotNodePool.")
    assert {"SpotNodePool.bidPrice", "SpotNodePool.spec", "SpotNodePool.metadata"} < set(offered)
    assert [run(["explain", word]) for word in offered] == [0] * len(offered)


def test_commands_come_with_their_help() -> None:
    """Which shells show beside them."""
    found = completing.complete(["doct"], TABLE, live_names)
    assert found == {"doctor": "Check the config file, the token, the network, permissions and the ledger."}


def test_an_empty_line_is_completed_with_all_commands() -> None:
    assert set(completed("")) == {node.words[0] for node in command_tree().children}


# Names


def test_names_are_those_that_were_listed() -> None:
    """As people call the objects, without a request."""
    assert run(["--sandbox", "apply", write(STACK), "--yes", "--wait", "none"]) == 0
    assert completed("--sandbox", "cloudspaces", "get", "") == ["edge"]
    assert completed("--sandbox", "nodepools", "spot", "delete", "wor") == ["workers"]
    assert completed("--sandbox", "spotnodepools", "list", "--within", "") == ["edge"]
    assert completed("cloudspaces", "get", "") == []
    assert completed("--sandbox", "cloudspaces", "create", "") == []


TWO_PARENTS = """
apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata: {name: core}
spec: {region: us-central-dfw-1}
---
apiVersion: ngpc.rxt.io/v1
kind: SpotNodePool
metadata: {name: workers}
spec: {cloudSpace: core, serverClass: gp.vs1.medium-dfw, bidPrice: 0.02, desired: 1}
---
apiVersion: ngpc.rxt.io/v1
kind: SpotNodePool
metadata: {name: extra}
spec: {cloudSpace: core, serverClass: gp.vs1.medium-dfw, bidPrice: 0.02, desired: 1}
---
"""
"""Two pools, one of which has the name of a pool in another cloudspace."""


@pytest.mark.parametrize("source", ["list", "ledger"])
def test_objects_are_completed_however_they_are_called(source: str) -> None:
    """By a name that one object has, with the parent, or with the kind; from a list, or from what stacks own."""
    assert run(["--sandbox", "apply", write(TWO_PARENTS + STACK), "--yes", "--wait", "none"]) == 0
    if source == "ledger":
        assert run(["--sandbox", "state", "clear-cache"]) == 0
    expected = {
        "spotnodepools get": ["core/workers", "edge/workers", "extra"],
        "spotnodepools get e": ["edge/workers", "extra"],
        "spotnodepools get edge/": ["edge/workers"],
        "spotnodepools get core/e": ["core/extra"],
        "pools patch spotnodepool/core/w": ["spotnodepool/core/workers"],
        "pools get SpotNodePool/co": ["SpotNodePool/core/extra", "SpotNodePool/core/workers"],
        "pools get vmpool/": [],
        "pools get --within edge": ["workers"],
        "pools get --cloudspace=core": ["extra", "workers"],
        "pools get --cloudspace=nothing": [],
        "cloudspaces get cloudspace/": ["cloudspace/core", "cloudspace/edge"],
        "explain snp/edge/": ["snp/edge/workers"],
        "explain cloudspace/e": ["cloudspace/edge"],
        "explain nothing/": [],
    }
    unfinished = ("get", "edge", "=core", "=nothing")
    lines = {line: [*line.split(), ""] if line.endswith(unfinished) else line.split() for line in expected}
    assert {line: sorted(completed("--sandbox", *words)) for line, words in lines.items()} == expected


def test_values_of_defaults_are_completed() -> None:
    """Each with what it can be."""
    assert run(["--sandbox", "regions", "list"]) == 0
    assert run(["--sandbox", "organizations", "list"]) == 0
    Path("my.yml").write_text("profiles: {staging: {}}\n")
    regions = completed("--sandbox", "config", "set-default", "region", "")
    assert "us-west-sjc-1" in regions and regions == completed("--sandbox", "config", "set-default-region", "")
    assert completed("--sandbox", "config", "set-default-org", "") == ["sandbox"]
    assert completed("--sandbox", "organizations", "get", "") == ["sandbox"]
    assert completed("-c", "my.yml", "config", "set-default-profile", "") == ["staging"]


def test_names_of_a_list_replace_those_of_the_last_one() -> None:
    """An object that is gone is no longer suggested, once a list has shown it."""
    assert run(["--sandbox", "cloudspaces", "create", "first", '{"region": "us-central-dfw-2"}']) == 0
    assert run(["--sandbox", "regions", "list"]) == 0
    assert run(["--sandbox", "cloudspaces", "list"]) == 0
    assert completed("--sandbox", "cloudspaces", "get", "") == ["first"]
    assert run(["--sandbox", "cloudspaces", "delete", "first", "--yes"]) == 0
    assert run(["--sandbox", "cloudspaces", "create", "second", '{"region": "us-central-dfw-2"}']) == 0
    assert run(["--sandbox", "cloudspaces", "wait", "first", "--gone"]) == 0
    assert run(["--sandbox", "cloudspaces", "list"]) == 0
    assert completed("--sandbox", "cloudspaces", "get", "") == ["second"]
    assert run(["--sandbox", "state", "clear-cache"]) == 0
    assert completed("--sandbox", "cloudspaces", "get", "") == []


def test_cached_responses_have_names() -> None:
    """Of regions and classes, for each option that takes one."""
    assert run(["--sandbox", "regions", "list"]) == 0
    assert run(["--sandbox", "serverclasses", "list"]) == 0
    assert completed("--sandbox", "--region", "us-w") == ["us-west-sjc-1"]
    assert completed("--sandbox", "init", "--server-class", "gp.vs2.large-s") == ["gp.vs2.large-sjc"]
    assert completed("--sandbox", "spotnodepools", "create", "x", "--server-class=gp.vs2.large-s") == [
        "--server-class=gp.vs2.large-sjc"
    ]


def test_nothing_is_kept_without_a_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither are names of a command without it, nor is state.db made for them."""
    monkeypatch.setenv("RSSPOT_HISTORY", "false")
    assert run(["--sandbox", "--no-cache", "cloudspaces", "list"]) == 0
    assert not (folder() / "state.db").exists()


def test_profiles_are_those_of_the_config_file(tmp_path: Path) -> None:
    """In each format; the one that the line names comes first."""
    home = tmp_path / "home" / ".config" / "rsspot"
    home.mkdir(parents=True)
    (home / "config.yml").write_text("profiles: {staging: {}, production: {}}\nstatePath: elsewhere/state.db\n")
    Path("other.toml").write_text("[profiles.ci]\n")
    Path("other.json").write_text(json.dumps({"profiles": {"json": {}}}))
    assert completed("--profile", "") == ["production", "staging"]
    assert completed("profiles", "use", "st") == ["staging"]
    assert completed("-c", "other.toml", "-p", "") == ["ci"]
    assert completed("--config-file=other.json", "-p", "") == ["json"]
    assert completed("cloudspaces", "get", "") == []


@pytest.mark.parametrize("content", ["profiles: [", "\x00", "[]", "profiles: {a b: {}, '$(id)': {}, ok: {}}"])
def test_an_odd_config_file_is_no_error(content: str) -> None:
    """A name that a shell would not take as one word is left out."""
    Path("odd.yml").write_text(content)
    assert completed("-c", "odd.yml", "-p", "") in ([], ["ok"])


@pytest.mark.parametrize("content", [b"", b"x" * 5000])
def test_an_odd_state_is_no_error(content: bytes) -> None:
    folder().mkdir()
    (folder() / "state.db").write_bytes(content)
    assert live_names("cloudspaces", "CloudSpace", ["--sandbox"]) == []


def test_names_have_a_limited_time() -> None:
    """After which the process ends, without a word."""
    before = signal.getsignal(signal.SIGALRM)
    try:
        stop_in_time()
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 0.3
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# Shells


def program(tmp_path: Path) -> Path:
    """A program called rsspot."""
    path = tmp_path / "bin" / "rsspot"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m rsspot "$@"\n')
    path.chmod(0o755)
    return path


def in_shell(shell: str, script: str, tmp_path: Path) -> list[str]:
    """What a shell prints, with rsspot on its path."""
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not installed")
    environment = {**os.environ, "PATH": f"{program(tmp_path).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [found, "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_bash_completes(tmp_path: Path) -> None:
    """Commands, names, and a value after an equals sign, which bash takes for a word of its own."""
    assert run(["--sandbox", "regions", "list"]) == 0
    lines = (["rsspot", "val"], ["rsspot", "--sandbox", "plan", "--region", "=", "us-w"], ["rsspot", "plan", "x"])
    script = f"source /dev/stdin <<'EOF'\n{SCRIPTS['bash']}\nEOF\n"
    for words in lines:
        quoted = " ".join(f"'{word}'" for word in words)
        script += f'COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _rsspot; echo "${{COMPREPLY[@]}}"\n'
    Path("xylophone").touch()
    printed = in_shell("bash", script, tmp_path)
    # Outside a completion, bash cannot be told to complete files, so the script does it itself.
    assert printed == ["validate", "us-west-sjc-1", "xylophone"]


def test_fish_completes(tmp_path: Path) -> None:
    script = f"{SCRIPTS['fish']}\ncomplete -C 'rsspot valid'\ncomplete -C 'rsspot nodepools spo'\n"
    validate, spot = in_shell("fish", script, tmp_path)
    assert validate.split("\t") == ["validate", "Check manifests without contacting the service."]
    assert spot.startswith("spot\t")


def test_zsh_completes(tmp_path: Path) -> None:
    """The function that finds candidates is replaced by one that prints them."""
    script = f"{SCRIPTS['zsh']}\n_describe() {{ print -l ${{(P)4}} }}\n"
    script += "words=(rsspot valid); CURRENT=2; _rsspot\n"
    assert in_shell("zsh", script, tmp_path) == ["validate:Check manifests without contacting the service."]


@pytest.mark.parametrize("shell", SCRIPTS)
def test_scripts_are_printed(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As they are, although everything else that is printed is made harmless."""
    assert run(["completion", shell]) == 0
    assert capsys.readouterr().out == SCRIPTS[shell]


def test_another_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", "bsh"]) == 3
    assert "did you mean 'bash'?" in capsys.readouterr().err


# Start-up


def test_static_words_need_no_library() -> None:
    """Completing them costs no more than starting Python."""
    code = (
        "import sys; sys.argv = ['rsspot', '__complete', 'nodepools', 'spot', 'cre']\n"
        "from rsspot.__main__ import main\nbefore = set(sys.modules)\ntry: main()\nexcept SystemExit: pass\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines() == [
        "words",
        "create\tCreate one SpotNodePool.",
        "rsspot.cli rsspot.cli.completing rsspot.cli.completion_words",
    ]


def test_every_plural_of_the_table_is_a_kind() -> None:
    """Or one of the two that are no kinds."""
    used = {
        str(value).removeprefix(completing.NAMES)
        for entry in TABLE["commands"].values()
        for value in [*entry["options"].values(), *entry.get("arguments", [])]
        if isinstance(value, str) and value.startswith(completing.NAMES)
    }
    assert used <= {kind.plural for kind in kinds().values()} | {"profiles", "organizations"}
