"""What the simulator answers is what its own OpenAPI document says: schemathesis makes up requests, and judges."""

import json
import os
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / ".venv" / "contract-tools" / "bin" / "schemathesis"
HOOKS = Path(__file__).with_name("contract_hooks.py")
GROUP = "apis/ngpc.rxt.io/v1"
SEED = "1"
ENDS_WITHIN = 240.0
CHECKS = (
    "not_a_server_error",
    "response_schema_conformance",
    "content_type_conformance",
    # For refusals by what the hooks add: the document itself, as Kubernetes' own, names none of them but 401.
    "status_code_conformance",
    "ignored_auth",
)
"""Left out, for what would be no defect:

- positive_data_acceptance: a schema does not know which names exist, nor what admission takes.
- negative_data_rejection: an API server drops fields that it does not know, and fills in nulls.
- use_after_free, ensure_resource_availability: what is deleted stays until its finalizers are gone.
- unsupported_method, allow_header_conformance: an API server's 405 names no methods, and comes after other refusals.
- response_headers_conformance, missing_required_header: the document has no headers.
- object_level_authorization: needs a second caller; test_api.py has one.
"""


def bearer(about):
    """The Authorization of the sandbox's organisation."""
    form = {"grant_type": "refresh_token", "client_id": "x", "refresh_token": about["refresh_token"]}
    asked = urllib.request.Request(f"{about['base_url']}/oauth/token", urllib.parse.urlencode(form).encode())
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return f"Bearer {json.load(answer)['id_token']}"


@pytest.fixture
def judged(serve, environment, tmp_path):
    """Run schemathesis against a simulator of its own: `judged("--phases", "fuzzing")` is its report."""
    if not TOOL.exists():
        said = "schemathesis is not installed: make .venv/contract"
        if os.environ.get("CI") == "true":
            pytest.fail(said)
        pytest.skip(said)
    about = serve("--time-scale", "100")[1]
    authorization, report = bearer(about), tmp_path / "report.json"
    for_hooks = {
        "SCHEMATHESIS_HOOKS": str(HOOKS),
        "CONTRACT_URL": about["base_url"],
        "CONTRACT_BEARER": authorization,
        "CONTRACT_NAMESPACE": "org-sandbox000000001",
    }

    def run(*options):
        command = [str(TOOL), "run", f"{about['base_url']}/openapi/v3/{GROUP}", "--url", about["base_url"]]
        command += ["--header", f"authorization: {authorization}", "--checks", ",".join(CHECKS), "--seed", SEED]
        command += ["--continue-on-failure", "--request-timeout", "10", "--no-shrink", "--generation-database", "none"]
        command += ["--no-color", "--report", "json", "--report-json-path", str(report), *options]
        ended = subprocess.run(
            command,
            cwd=tmp_path,
            env=environment | for_hooks,
            capture_output=True,
            text=True,
            timeout=ENDS_WITHIN,
            check=False,
        )
        assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
        found = json.loads(report.read_text(encoding="utf-8"))
        assert found["complete"]
        return found

    return run


@pytest.mark.timeout(ENDS_WITHIN + 30)
def test_every_field_and_parameter_in_turn(judged):
    """Of the kinds that differ most: with each of its borders, with each wrong type, and left out."""
    report = judged("--phases", "coverage", "--include-path-regex", "/(cloudspaces|autopilotnodepools|regions)(/|$)")
    assert report["operations"]["tested"] == 18
    assert report["test_cases"]["generated"] > 5000


@pytest.mark.timeout(ENDS_WITHIN + 30)
def test_requests_made_up_at_random(judged):
    """Of every kind, by themselves and one after another about the same object."""
    report = judged("--phases", "fuzzing,stateful", "--max-examples", "10")
    assert report["operations"]["tested"] == 60
    assert report["test_cases"]["generated"] > 500
