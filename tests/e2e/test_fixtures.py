"""The pytest fixtures in environments of their own: without a plugin, with anyio's, and with pytest-asyncio."""

from __future__ import annotations

import re
from collections.abc import Sequence
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


def assert_all_pass(environment: FreshEnvironment, folder: Path, *suites: str, options: Sequence[str] = ()) -> None:
    """Run suites, each in a file of its own, as one program: most of its time is its start."""
    for number, suite in enumerate(suites):
        (folder / f"test_mine_{number}.py").write_text(suite, encoding="utf-8")
    ended = environment.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", *options, str(folder))
    report = ended.stdout + ended.stderr
    assert re.search(rf"^{len(suites)} passed in", report, re.MULTILINE), report


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> FreshEnvironment:
    """rsspot and pytest, with what they require."""
    return FreshEnvironment(tmp_path_factory.mktemp("plain"), "rsspot", "pytest")


def test_the_documented_tests_need_only_pytest(plain: FreshEnvironment, tmp_path: Path) -> None:
    """As they are printed in the manual."""
    assert plain.run("-c", "import pytest_asyncio").returncode == 1
    assert_all_pass(plain, tmp_path, SYNC, ANYIO)


@pytest.mark.parametrize(
    ("mode", "suites"),
    [("strict", [SYNC, STRICT]), ("auto", [SYNC, STRICT, UNMARKED, MIXED])],
    ids=["strict", "auto"],
)
def test_the_fixtures_work_with_pytest_asyncio(
    asyncio_environment: FreshEnvironment, tmp_path: Path, mode: str, suites: list[str]
) -> None:
    """In either of its modes."""
    # pytest-asyncio warns if the scope of its loops is left open.
    options = ("-o", f"asyncio_mode={mode}", "-o", "asyncio_default_fixture_loop_scope=function")
    assert_all_pass(asyncio_environment, tmp_path, *suites, options=options)


@pytest.fixture(scope="module")
def asyncio_environment(tmp_path_factory: pytest.TempPathFactory) -> FreshEnvironment:
    """The same with pytest-asyncio."""
    return FreshEnvironment(tmp_path_factory.mktemp("asyncio"), "rsspot", "pytest", "pytest-asyncio")
