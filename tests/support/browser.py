"""A real browser for pages, as a fixture: Chromium without a window, which asks nobody for anything by itself."""

import os
import shutil

import pytest
from playwright.sync_api import sync_playwright

CHROMIUM = shutil.which("chromium")
QUIETLY = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """One browser for all pages. If there is none, these tests fail in CI and are skipped elsewhere."""
    if os.environ.get("RSSPOT_NO_BROWSER"):
        pytest.skip("RSSPOT_NO_BROWSER is set")
    if CHROMIUM is None:
        message = "chromium is not on PATH: scripts/install_browser.sh installs it on Debian"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(message)
    environment = {**os.environ, "HOME": str(tmp_path_factory.mktemp("browser"))}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIETLY, env=environment)
        yield browser
        browser.close()
