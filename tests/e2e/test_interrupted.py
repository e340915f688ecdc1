"""Applies against a served simulator: interrupted and continued, and through the profile of a saved plan."""

import json
import signal
import subprocess
import sys

import pytest

CLOUDSPACE = """
apiVersion: rsspot.dev/v1
kind: Stack
metadata: {name: things}
spec: {profile: second}
---
apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata: {name: edge}
spec: {region: us-central-dfw-1, kubernetesVersion: 1.33.0}
"""
PROFILE = {"baseUrl": "base_url", "oauthUrl": "oauth_url", "refreshToken": "refresh_token", "org": "organization"}


@pytest.fixture
def rsspot(serve, environment, tmp_path):
    """Starts commands. Their second profile is a served simulator, the active first one is unreachable."""
    about = serve()[1]
    second = {key: about[name] for key, name in PROFILE.items()}
    first = {**second, "baseUrl": "http://127.0.0.1:9", "oauthUrl": "http://127.0.0.1:9"}
    config = {"activeProfile": "first", "profiles": {"first": first, "second": second}}
    (tmp_path / "config.yaml").write_text(json.dumps(config))
    (tmp_path / "stack.yaml").write_text(CLOUDSPACE)
    started = []

    def start(*arguments):
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "rsspot", "-c", "config.yaml", *arguments],
                env=environment,
                cwd=tmp_path,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=60)


def test_two_signals_stop_an_apply_and_the_next_one_continues(rsspot):
    """Exit code 8 without a traceback; the next run settles the open writes."""
    first = rsspot("apply", "stack.yaml", "--yes")
    assert any("progressing" in line.lower() for line in first.stdout), first.stderr.read()
    first.send_signal(signal.SIGINT)
    assert any("stopping" in line for line in first.stderr)
    first.send_signal(signal.SIGINT)
    _, err = first.communicate(timeout=60)
    assert first.returncode == 8, err
    assert "Traceback" not in err

    second = rsspot("apply", "stack.yaml", "--yes", "--wait", "none")
    out, err = second.communicate(timeout=60)
    assert second.returncode == 0, out + err


def test_a_saved_plan_is_applied_with_the_profile_of_its_stack(rsspot):
    """Not with the active profile."""
    planned = rsspot("plan", "stack.yaml", "--out", "plan.json")
    assert planned.wait(60) == 0, planned.stderr.read()
    applied = rsspot("apply", "--plan", "plan.json", "--yes", "--wait", "none")
    out, err = applied.communicate(timeout=60)
    assert applied.returncode == 0, err
    assert "created=1" in out
