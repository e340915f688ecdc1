"""schemathesis over the simulator's own OpenAPI document: no server error, and nothing that it does not know.

It lives in an environment of its own (`make test` makes it), since it brings dozens of packages.
"""

import json
import os
import re
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOL = ROOT / ".venv" / "contract-tools" / "bin" / "schemathesis"
CHECKS = (
    "not_a_server_error",
    "response_schema_conformance",
    "status_code_conformance",
    "content_type_conformance",
)
"""Not asked: whether wrong data is always refused (unknown fields are warnings here, as on a real server), and whether
authentication is ignored (tests of the gateway ask that)."""
EXAMPLES = 15
"""For each of sixty operations."""
FEWEST = 600


def log_in(about):
    """A bearer of a served simulator."""
    form = {"grant_type": "refresh_token", "client_id": "x", "refresh_token": about["refresh_token"]}
    data = urllib.parse.urlencode(form).encode()
    with urllib.request.urlopen(f"{about['base_url']}/oauth/token", data, timeout=10) as answer:
        return json.load(answer)["id_token"]


@pytest.mark.timeout(400)
def test_the_document_is_what_the_simulator_does(serve, tmp_path):
    """Hundreds of requests made up from it, good and bad, over every path and verb."""
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
    known = {"CONTRACT_URL": url, "CONTRACT_BEARER": bearer, "CONTRACT_NAMESPACE": "org-sandbox000000001"}
    hooks = {"SCHEMATHESIS_HOOKS": "contract_hooks", "PYTHONPATH": str(Path(__file__).parents[1] / "support")}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RSSPOT_", "PYTEST_"))}
    ended = subprocess.run(
        command,
        env={**kept, **known, **hooks, "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=380,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-8000:] + ended.stderr[-2000:]
    passed = re.search(r"(\d+) generated, (\d+) passed", ended.stdout)
    assert passed and int(passed[1]) >= FEWEST, ended.stdout[-2000:]
    assert process.poll() is None
