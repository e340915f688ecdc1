"""Signals outside a run, at the prompt and while a plan is made: each ends the command like Ctrl-C does."""

import os
import pty
import signal
import subprocess
import sys

import pytest

from support import ENVIRONMENT, program

COMMAND = [sys.executable, "-m", "rsspot"]
CLOUDSPACE = """
apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata: {name: edge}
spec: {region: us-central-dfw-1, kubernetesVersion: 1.33.0}
"""


@pytest.mark.parametrize("how", [signal.SIGTERM, "closed"])
def test_a_prompt_ends_as_cancelled(environment, tmp_path, how):
    """Also when the terminal is closed, and nothing can be printed any more."""
    (tmp_path / "stack.yaml").write_text(CLOUDSPACE)
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.execve(sys.executable, [*COMMAND, "--sandbox", "apply", "stack.yaml"], environment)
    shown = b""
    while b"to continue" not in shown:
        shown += os.read(terminal, 4096)
    if how != "closed":
        os.kill(pid, how)
        while b"\n" not in os.read(terminal, 4096):
            pass
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 8


def test_a_signal_right_before_the_answer_is_read_ends_the_prompt():
    """Whoever is asked may be told to end at the very moment when the question stands there, and has to hear of it."""
    ended = subprocess.run(
        [*program("signalled_prompt"), "60"], env=ENVIRONMENT, capture_output=True, text=True, timeout=110, check=True
    )
    assert ended.stdout == "0\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_plan_ends_as_cancelled(serve, environment, tmp_path, number):
    """At once, though the service hangs."""
    about = serve("--fault", "GET: latency 60..60 always")[1]
    (tmp_path / "stack.yaml").write_text(CLOUDSPACE)
    names = {"BASE_URL": "base_url", "OAUTH_URL": "oauth_url", "REFRESH_TOKEN": "refresh_token"}
    account = {f"RSSPOT_{name}": about[key] for name, key in names.items()}
    process = subprocess.Popen(
        [*COMMAND, "plan", "stack.yaml", "-v"],
        env={**environment, **account, "RSSPOT_ORGANIZATION": about["organization"]},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # With -v, the token that was fetched is told; the next request is the one that hangs.
    assert process.stderr.readline()
    process.send_signal(number)
    out, errors = process.communicate(timeout=60)
    assert (process.returncode, out) == (8, "")
    assert "error: interrupted" in errors
