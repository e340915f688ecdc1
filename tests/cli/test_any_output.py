"""Commands whose output is closed, full, without a reader, in another encoding, or made of what others wrote."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from rsspot.cli.app import run
from rsspot.cli.options import CliOptions
from rsspot.cli.session import CliSession
from rsspot.http.hooks import Exchange
from rsspot.utils.streams import safe_streams
from rsspot.utils.text import starts_command
from support.shell import CLOUDSPACE, STACK, write

RSSPOT = [sys.executable, "-m", "rsspot"]
EVIL = "x\n::error::obeyed\r\x1b[2J\x9b31m\u202e"
FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell, in which `rsspot` is this one."""
    line = f'rsspot() {{ "{sys.executable}" -m rsspot "$@"; }}; {line}'
    return subprocess.run(
        ["/bin/sh", "-c", line],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@cache
def exit_code(arguments: str) -> int:
    """The exit code of a command whose streams are all open."""
    return shell(f"rsspot {arguments}").returncode


def assert_harmless(*shown: str) -> None:
    """Nothing in these texts is obeyed by a terminal or by the runner of a workflow."""
    for line in "\n".join(shown).split("\n"):
        assert line.isprintable() and not starts_command(line), repr(line)


@pytest.mark.parametrize("output", ["table", "json"])
def test_an_apply_whose_reader_leaves_stops(output: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As on Ctrl-C: no further write starts, the run is closed, and the next apply goes on."""
    command = [*RSSPOT, "--sandbox", "apply", write(STACK), "--yes", "-o", output]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline()
    process.stdout.close()
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (8, b"")
    assert run(["--sandbox", "ledger", "runs", "-o", "json"]) == 0
    assert [each["outcome"] for each in json.loads(capsys.readouterr().out)] == ["cancelled"]
    assert run(["--sandbox", "apply", write(STACK), "--yes"]) == 0


def test_an_apply_that_stopped_for_want_of_a_reader_says_so_in_its_exit_code() -> None:
    """A script sees what became of the run, not of the pipe."""
    write(STACK)
    ended = shell("{ rsspot --sandbox apply stack.yaml --yes; echo $? >&2; } | true")
    assert ended.stderr == "8\n"


@FULL
@pytest.mark.parametrize("arguments", ["regions list", "regions list -o json", "plan stack.yaml --detailed-exitcode"])
def test_a_result_that_was_lost_is_no_success(arguments: str) -> None:
    """A script must not go on with half a file."""
    write(STACK)
    ended = shell(f"rsspot --sandbox {arguments} >/dev/full")
    assert ended.returncode == 1
    assert ended.stderr == "error: cannot write to standard output: No space left on device\n"


@FULL
@pytest.mark.parametrize("arguments", ["--version", "--help", "plan", "--sandbox plan gone.yaml", "nonsense -v"])
@pytest.mark.parametrize("where", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-", ">/dev/full 2>&1", "2>/dev/full"])
def test_no_stream_is_needed(arguments: str, where: str) -> None:
    """The exit code is the same, but for lost results, and the interpreter does not complain at its end."""
    ended = shell(f"rsspot {arguments} {where}")
    assert ended.returncode in (exit_code(arguments), 1)
    assert "Exception" not in ended.stdout + ended.stderr
    assert "internal error" not in ended.stdout + ended.stderr


@pytest.mark.parametrize("where", [">&-", pytest.param(">/dev/full", marks=FULL)])
def test_an_error_as_json_goes_to_standard_error_if_it_must(where: str) -> None:
    """Otherwise the command would fail in silence."""
    assert "no such file" in shell(f"rsspot --sandbox plan gone.yaml -o json {where}").stderr


def test_an_error_does_not_become_output() -> None:
    """Where standard error is closed, an error is dropped."""
    assert shell("rsspot --sandbox plan gone.yaml 2>&-").stdout == ""


def test_a_child_does_not_write_into_a_file_of_ours() -> None:
    """With standard output closed, the next file that is opened would get its number."""
    Path("child.py").write_text("import os, sys; sys.exit(not os.path.samestat(os.fstat(1), os.stat(os.devnull)))")
    assert shell(f'rsspot simulator run -- "{sys.executable}" child.py >&-').returncode == 0


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "ascii:strict"])
def test_documents_in_any_encoding(encoding: str) -> None:
    """What cannot be encoded is escaped as JSON and YAML have it."""
    for output, read in (("json", "json.load"), ("yaml", "yaml.safe_load")):
        line = f"rsspot --sandbox validate 東京.yaml -o {output}"
        write(CLOUDSPACE, "東京.yaml")
        check = f"import json, sys, yaml; print(ascii({read}(sys.stdin)))"
        ended = shell(f"{line} | \"{sys.executable}\" -c '{check}'", PYTHONIOENCODING=encoding)
        assert ended.stderr == ""
        assert ascii("東京.yaml")[1:-1] in ended.stdout


@pytest.mark.parametrize("command", ["plan gone-東京.yaml", "plan gone-東京.yaml -v", "cloudspaces get 東京", "東京"])
def test_errors_in_any_encoding(command: str) -> None:
    """An error is told in words, with escapes."""
    for output in ("table", "json"):
        ended = shell(f"rsspot --sandbox {command} -o {output}", PYTHONIOENCODING="ascii:strict")
        assert "6771" in ended.stdout + ended.stderr
        assert "internal error" not in ended.stdout + ended.stderr
        assert "UnicodeEncodeError" not in ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [["cloudspaces", "list", "-l"], ["cloudspaces", "get"], ["cloudspaces", "create", "a"], ["configure", "--org"]],
)
def test_an_argument_that_is_no_text(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The mistake is in the command line."""
    sandbox = [] if arguments[0] == "configure" else ["--sandbox"]
    assert run([*sandbox, *arguments, os.fsdecode(b"a=\xff")]) in (1, 3)
    assert "internal error" not in capsys.readouterr().err


@pytest.mark.parametrize("output", ["table", "json", "yaml"])
def test_a_file_name_that_is_no_text(output: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It can be planned, printed, saved and applied."""
    file = os.fsdecode(b"n\xff.yaml")
    Path(file).write_text(CLOUDSPACE)
    Path("key").write_text("secret")
    assert run(["--sandbox", "plan", file, "-o", output, "--out", "plan.json", "--plan-key", "key"]) == 0
    assert_harmless(*capsys.readouterr())
    assert run(["--sandbox", "apply", "--plan", "plan.json", "--plan-key", "key", "--yes", "--wait", "none"]) == 0
    assert run(["--sandbox", "apply", file, "--yes", "--wait", "none"]) == 0
    assert_harmless(*capsys.readouterr())


def test_a_variable_that_is_no_text(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no value of a manifest, and that is said."""
    monkeypatch.setenv("REGION", os.fsdecode(b"r\xff"))
    file = write(CLOUDSPACE.replace("us-central-dfw-1", "${env:REGION}"))
    for command in (["validate"], ["plan"], ["plan", "-o", "json"], ["apply", "--yes"]):
        assert run(["--sandbox", *command, file]) in (0, 1, 3, 5)
        output = "".join(capsys.readouterr())
        assert_harmless(output)
        assert "internal error" not in output


@pytest.mark.parametrize("output", ["table", "json", "yaml"])
def test_a_file_name_that_is_a_command(output: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A pull request may name its files as it likes."""
    Path(EVIL.replace("/", "")).with_suffix(".yaml").write_text(CLOUDSPACE)
    assert run(["--sandbox", "plan", ".", "-o", output]) == 0
    assert run(["--sandbox", "validate", ".", "-o", output]) == 0
    assert_harmless(*capsys.readouterr())


@pytest.mark.parametrize(
    "arguments",
    [
        [EVIL],
        ["--org", EVIL, "-p", EVIL, "cloudspaces", "list"],
        ["-o", EVIL, "regions", "list"],
        ["--sandbox", "cloudspaces", "get", EVIL],
        ["--sandbox", "cloudspaces", "create", "a", EVIL],
        ["--sandbox", "cloudspaces", "create", "a", "{}", "--label", EVIL],
        ["--sandbox", "plan", EVIL],
        ["--sandbox", "plan", "stack.yaml", "--out", f"{EVIL}/{EVIL}/no"],
        ["--sandbox", "explain", EVIL, "stack.yaml"],
        ["--sandbox", "plan", "stack.yaml", "--var", EVIL],
        ["--sandbox", "plan", "stack.yaml", "--allow-incomplete", EVIL],
        ["--sandbox", "state", "import", EVIL],
        ["-c", EVIL, "profiles", "show", EVIL],
    ],
)
@pytest.mark.parametrize("more", [[], ["-v"], ["-o", "json"]])
def test_arguments_are_not_obeyed(arguments: list[str], more: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Errors, hints and tracebacks may repeat them."""
    write(STACK)
    run([*more, *arguments])
    assert_harmless(*capsys.readouterr())


def test_the_id_of_a_request_is_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    """A service, or a proxy before it, may send any header."""
    with safe_streams():
        CliSession(CliOptions(verbose=1)).hooks.tell(Exchange("GET", EVIL, 1, 200, 0.1, EVIL))
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    assert_harmless(shown)
