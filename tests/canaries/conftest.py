"""An account whose every secret is a canary, and a scanner that finds leaked ones."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rsspot.cli.app import run
from support.isolation import CLOUDSPACE, USER_DATA, VMS, CanaryService, LeakScanner
from support.loopback_server import write_config


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory, and an environment without any setting."""
    for name in [name for name in os.environ if "SPOT" in name or name.lower() == "https_proxy"]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("home", "work"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "home"


@pytest.fixture
def service() -> Iterator[CanaryService]:
    """A service that records every token it issues."""
    canary_service = CanaryService()
    yield canary_service
    canary_service.close()


@pytest.fixture
def scanner(
    home: Path, service: CanaryService, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> Iterator[LeakScanner]:
    """A config file, manifests and a registrar that contain canaries. Logs are kept from DEBUG on."""
    logging.getLogger().setLevel(logging.DEBUG)
    caplog.set_level(logging.DEBUG)
    retry = {"maxRetries": 1, "baseDelay": 0.001}
    profile = {**service.profile(retry=retry), "proxy": "http://someone:canary-proxy-5d1c@127.0.0.1:9"}
    write_config(home / ".config" / "rsspot" / "config.yml", {"profiles": {"default": profile}})
    registrar = Path("registrar.sh")
    answer = json.dumps({"tokenId": "t-1", "token": "canary-registrar-77aa", "joinToken": "canary-registrar-77aa"})
    registrar.write_text(f"#!/bin/sh\ncat > /dev/null\necho '{answer}'\n")
    registrar.chmod(0o700)
    Path("stack.yaml").write_text(CLOUDSPACE)
    Path("vms.yaml").write_text(VMS.replace("USER_DATA", USER_DATA))

    def command(*arguments: str) -> int:
        return run([*arguments])

    yield LeakScanner(home.parent, service, command, capsys, caplog)
    logging.getLogger().setLevel(logging.WARNING)
