"""schemathesis runs the OpenAPI document of the simulator: no server error and no undocumented response.

schemathesis has dozens of dependencies, so `make test` installs it in a separate environment.
"""

import json
import os
import re
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from support.amount import amount

ROOT = Path(__file__).parents[2]
TOOL = ROOT / ".venv" / "contract-tools" / "bin" / "schemathesis"
CHECKS = (
    "not_a_server_error",
    "response_schema_conformance",
    "status_code_conformance",
    "content_type_conformance",
)
"""Two checks are left out: whether invalid data is always refused (unknown fields are only warnings, as on a real
server), and whether authentication is ignored (the tests of the gateway cover that)."""
EXAMPLES = amount(5, 40)
"""Test cases per operation. There are about sixty operations."""
FEWEST = 40 * EXAMPLES
"""The minimum number of generated test cases. Some operations have fewer different ones."""


def log_in(about):
    """Get a bearer token from a running simulator."""
    form = {"grant_type": "refresh_token", "client_id": "x", "refresh_token": about["refresh_token"]}
    data = urllib.parse.urlencode(form).encode()
    with urllib.request.urlopen(f"{about['base_url']}/oauth/token", data, timeout=10) as answer:
        return json.load(answer)["id_token"]


@pytest.mark.timeout(400)
def test_the_simulator_conforms_to_its_openapi_document(serve, tmp_path):
    """Hundreds of generated requests, valid and invalid, over every path and verb."""
    if not TOOL.exists():
        assert os.environ.get("CI") != "true", "schemathesis is not installed: run the tests by `make test`"
        pytest.skip("schemathesis is not installed: run the tests by `make test`")
    process, about, _ = serve("--time-scale", "0")
    url, bearer = about["base_url"], f"Bearer {log_in(about)}"
    command = [
        TOOL,
        "run",
        f"{url}/openapi/v3/apis/ngpc.rxt.io/v1",
        "--url",
        url,
        "--header",
        f"Authorization: {bearer}",
    ]
    command += ["--checks", ",".join(CHECKS), "--phases", "fuzzing", "--max-examples", str(EXAMPLES), "--seed", "1"]
    command += ["--generation-database", "none", "--no-color", "--suppress-health-check", "all"]
    contract = {"CONTRACT_URL": url, "CONTRACT_BEARER": bearer, "CONTRACT_NAMESPACE": "org-sandbox000000001"}
    hooks = {"SCHEMATHESIS_HOOKS": "contract_hooks", "PYTHONPATH": str(Path(__file__).parents[1] / "support")}
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("RSSPOT_", "PYTEST_"))}
    result = subprocess.run(
        command,
        env={**environment, **contract, **hooks, "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=380,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-8000:] + result.stderr[-2000:]
    passed = re.search(r"(\d+) generated, (\d+) passed", result.stdout)
    assert passed and int(passed[1]) >= FEWEST, result.stdout[-2000:]
    assert process.poll() is None
