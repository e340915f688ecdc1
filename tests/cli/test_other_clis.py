"""The commands of rsspot 0.3 and of spotctl work as they are typed there, and so do ours beside them."""

from __future__ import annotations

import io
import json
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rsspot.cli.app import run
from rsspot.simulator.world import World
from support.served_account import ACCOUNT, served_account

TOKEN = ACCOUNT.refresh_token
PAGE = (Path(__file__).parents[2] / "docs" / "other-clis.md").read_text(encoding="utf-8")
FILES = {
    "my-cluster-config.yaml": """\
cloudspace: {name: from-file, org: acme, region: us-central-dfw-1, kubernetes_version: 1.31.1}
spotnodepools:
  - {desired: 1, serverclass: gp.vs1.medium-dfw, bidprice: "0.08"}
ondemandnodepools:
  - {desired: 1, serverclass: gp.vs1.medium-dfw}
""",
    "vm-cloudspace.json": """\
{"vmCloudSpace": {"name": "from-json", "org": "acme", "region": "us-central-dfw-1", "vmSshKeyRef": {"name": "laptop"}},
 "vmPools": [{"serverClass": "gp.vs1.medium-dfw", "bidPrice": "0.02", "desired": 1, "vmImage": "ubuntu24.04"}]}
""",
    "cloud-init.sh": "#!/bin/bash\napt-get update\n",
    "hook": "https://example.com/hook\n",
    "laptop.pub": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKHEWQwDW1JzxHyvH0H5tBRwSYNTnzrIxiHZ2ZTVAAAA me\n",
}
"""Files that the commands name."""


def rows(tool: str) -> list[tuple[str, str]]:
    """The commands of a tool and ours, as the page has them."""
    table = PAGE.partition(f"## {tool}\n")[2].partition("\n## ")[0]
    cells = [re.findall(r"`([^`]*)`|(the same)", line) for line in table.splitlines() if line.startswith("| `")]
    return [(theirs[0], ours[0] or theirs[0]) for theirs, ours in cells]


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A simulated service with one account, that the environment variables point to."""
    with served_account(monkeypatch) as world:
        yield world


@pytest.mark.parametrize("whose", ["theirs", "ours"])
@pytest.mark.parametrize("tool", ["rsspot 0.3.0", "spotctl"])
def test_every_command_works(
    tool: str, whose: str, service: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row after row, in one account. The token is never printed."""
    for name, content in FILES.items():
        Path(name).write_text(content)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert run(["configure", "--org", "acme", "--region", "us-central-dfw-1", "--refresh-token", TOKEN]) == 0
    for row in rows(tool):
        command = row[whose == "ours"]
        capsys.readouterr()
        code = run([TOKEN if word == "TOKEN" else word for word in shlex.split(command)])
        printed = capsys.readouterr()
        assert code == 0, (command, printed.err)
        assert TOKEN not in printed.out + printed.err


def test_the_page_has_every_command_of_both_tools() -> None:
    """So many rows each; fewer would mean that the page is not read."""
    assert [len(rows(tool)) for tool in ("rsspot 0.3.0", "spotctl")] == [45, 42]


def test_a_file_written_for_the_kubeconfig_is_private(service: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readable by its owner only; into a folder, it goes under the cloudspace's name."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert run(["configure", "--org", "acme", "--refresh-token", TOKEN]) == 0
    assert run(["cloudspaces", "create", "edge", "--region", "us-central-dfw-1"]) == 0
    assert run(["cloudspaces", "wait", "edge"]) == 0
    Path("folder").mkdir()
    assert run(["cloudspaces", "get-config", "edge", "-f", "folder"]) == 0
    written = Path("folder/edge.yaml")
    assert written.stat().st_mode & 0o777 == 0o600
    assert "clusters:" in written.read_text()


def test_a_cloudspace_and_its_pools_are_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    """A program that reads JSON gets a list. The first object is made before those in it."""
    pool = "name=workers,serverclass=gp.vs1.large-dfw,bidprice=0.08,desired=2"
    create = ["cloudspaces", "create", "edge", "--region", "us-central-dfw-1", "--spotnodepool", pool]
    assert run(["--sandbox", *create, "-o", "json"]) == 0
    created = json.loads(capsys.readouterr().out)
    assert [each["kind"] for each in created] == ["CloudSpace", "SpotNodePool"]
    wanted = {
        "cloudSpace": "edge",
        "serverClass": "gp.vs1.large-dfw",
        "bidPrice": "0.08",
        "desired": 2,
    }
    assert wanted.items() <= created[1]["spec"].items()
    assert run(["--sandbox", "spotnodepools", "list", "-o", "name"]) == 0
    assert capsys.readouterr().out == "spotnodepool/edge/workers\n"


@pytest.mark.parametrize(
    ("pool", "message"),
    [
        ("serverclass=gp.vs1.large-dfw,bidprice=0.05", "the next valid bid is 0.06"),
        ("serverclass=gp.vs1.larg-dfw,bidprice=0.06", "did you mean 'gp.vs1.large-dfw'?"),
        ("serverclas=gp.vs1.large-dfw", "did you mean 'server-class'?"),
        ("desired", "takes NAME=VALUE"),
        ("[1]", "takes NAME=VALUE"),
    ],
)
def test_nothing_is_created_beside_a_pool_that_cannot_be(
    pool: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """All objects are checked before the first one is sent."""
    create = ["cloudspaces", "create", "edge", "--region", "us-central-dfw-1", "--spotnodepool", pool]
    assert run(["--sandbox", *create]) == 3
    assert message in capsys.readouterr().err
    assert run(["--sandbox", "cloudspaces", "list", "-o", "name"]) == 0
    assert capsys.readouterr().out == ""
