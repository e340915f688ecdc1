"""The pytest fixtures in environments of their own: without a plugin, with anyio's, and with pytest-asyncio."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.fresh_environment import FreshEnvironment

SNIPPETS = re.findall(
    r"```python\n(.*?)```",
    (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8").partition("## Time")[0],
    re.DOTALL,
)
SYNC, ANYIO = SNIPPETS
UNMARKED = ANYIO.replace("@pytest.mark.anyio\n", "")
STRICT = ANYIO.replace("pytest.mark.anyio", "pytest.mark.asyncio")
MIXED = "async def test_both(spot_client, sync_spot_client):\n    assert await spot_client.regions.list()\n"


def outcome(environment: FreshEnvironment, folder: Path, suite: str, *options: str) -> str:
    """Run a suite. Returns its report."""
    (folder / "test_mine.py").write_text(suite, encoding="utf-8")
    ended = environment.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", *options)
    return ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> FreshEnvironment:
    """rsspot and pytest, with what they require."""
    return FreshEnvironment(tmp_path_factory.mktemp("plain"), "rsspot", "pytest")


@pytest.mark.parametrize("suite", [SYNC, ANYIO], ids=["sync", "anyio"])
def test_the_documented_tests_need_only_pytest(plain: FreshEnvironment, tmp_path: Path, suite: str) -> None:
    """As they are printed in the manual."""
    assert plain.run("-c", "import pytest_asyncio").returncode == 1
    report = outcome(plain, tmp_path, suite, str(tmp_path))
    assert "1 passed" in report, report


@pytest.mark.parametrize(
    ("suite", "mode"),
    [(SYNC, "strict"), (SYNC, "auto"), (STRICT, "strict"), (STRICT, "auto"), (UNMARKED, "auto"), (MIXED, "auto")],
    ids=["sync strict", "sync auto", "marked strict", "marked auto", "unmarked auto", "both auto"],
)
def test_the_fixtures_work_with_pytest_asyncio(
    asyncio_environment: FreshEnvironment, tmp_path: Path, suite: str, mode: str
) -> None:
    """In either of its modes."""
    # pytest-asyncio warns if the scope of its loops is left open.
    options = ("-o", f"asyncio_mode={mode}", "-o", "asyncio_default_fixture_loop_scope=function")
    report = outcome(asyncio_environment, tmp_path, suite, *options, str(tmp_path))
    assert "1 passed" in report, report


@pytest.fixture(scope="module")
def asyncio_environment(tmp_path_factory: pytest.TempPathFactory) -> FreshEnvironment:
    """The same with pytest-asyncio."""
    return FreshEnvironment(tmp_path_factory.mktemp("asyncio"), "rsspot", "pytest", "pytest-asyncio")
