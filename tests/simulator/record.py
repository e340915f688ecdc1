"""Records a real API server's answers to the conversations.

Run by `make conversations`, which builds the server: `record.py SERVER`, the path of its binary.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from rsspot.wire import httpx
from support.conversation import DEFINITIONS, FOLDER, INSTALLED, answer, digests, request, steps, subjects

CUSTOM = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
STARTS_WITHIN = 60.0


def main(binary):
    """Record each conversation with a fresh server."""
    for subject in subjects():
        with tempfile.TemporaryDirectory() as folder:
            answers = _held(binary, Path(folder), steps(subject))
        (FOLDER / f"{subject}.json").write_text(json.dumps(answers, indent=1, ensure_ascii=False) + "\n")
        print(f"{subject}: {len(answers)} answers")
    INSTALLED.write_text(json.dumps(digests(), indent=1) + "\n")


def _held(binary, folder, conversation):
    kubeconfig = folder / "kubeconfig"
    command = [binary, "--folder", str(folder), "--kubeconfig", str(kubeconfig)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with _client(kubeconfig) as client:
            _install(client)
            answers = []
            for step in conversation:
                method, target, headers, body = request(step, answers)
                response = client.request(method, target, headers=headers, content=body)
                answers.append(answer(response.status_code, response.headers, response.content))
            return answers
    finally:
        server.terminate()
        server.wait(30)


def _client(kubeconfig):
    deadline = time.monotonic() + STARTS_WITHIN
    while not kubeconfig.exists():
        if time.monotonic() > deadline:
            raise SystemExit("the server did not start")
        time.sleep(0.1)
    time.sleep(0.2)
    config = yaml.safe_load(kubeconfig.read_text())
    headers = {"Authorization": f"Bearer {config['users'][0]['user']['token']}"}
    # The server's certificate is self-signed and names another host.
    return httpx.Client(base_url=config["clusters"][0]["cluster"]["server"], headers=headers, verify=False, timeout=30)


def _install(client):
    """Create every definition and wait until its kind is served."""
    for file in sorted(DEFINITIONS.glob("*.yaml")):
        headers = {"Content-Type": "application/yaml"}
        made = _patiently(client, "POST", CUSTOM, headers=headers, content=file.read_bytes())
        if made.status_code != 201 or "warning" in made.headers:
            raise SystemExit(f"{file.name} was not accepted unchanged: {made.text} {made.headers.get('warning', '')}")
    for file in sorted(DEFINITIONS.glob("*.yaml")):
        deadline = time.monotonic() + STARTS_WITHIN
        while client.get(f"/apis/ngpc.rxt.io/v1/{file.stem}").status_code != 200:
            if time.monotonic() > deadline:
                raise SystemExit(f"{file.stem} is not served")
            time.sleep(0.1)


def _patiently(client, method, path, **rest):
    deadline = time.monotonic() + STARTS_WITHIN
    while True:
        try:
            made = client.request(method, path, **rest)
        except httpx.TransportError:
            made = None
        if (made is not None and made.status_code not in (404, 503)) or time.monotonic() > deadline:
            return made
        time.sleep(0.1)


if __name__ == "__main__":
    main(sys.argv[1])
