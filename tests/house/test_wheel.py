"""The wheel is complete: it is built, installed without the source tree being importable, and used."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

import rsspot
from rsspot.constants import VERSION

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
SUFFIXES = {".py", ".yaml", ".csv", ".html", ".json", ".typed", ".css", ".js"}
TIMEOUT = 120


def run(*command: str, cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=TIMEOUT, check=False)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the pinned build backend, which needs no network."""
    folder = tmp_path_factory.mktemp("built")
    done = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


class Installed:
    """An environment with the wheel in it, and the folder from which it is used."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bin = folder, folder / "environment" / "bin"

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment as somebody would who has no checkout."""
        environment = {"PATH": f"{self.bin}{os.pathsep}{os.defpath}", "HOME": str(self.folder)}
        return run(str(self.bin / command[0]), *command[1:], cwd=self.folder, env=environment)

    def python(self, program: str) -> list[str]:
        """The lines that a Python program prints."""
        done = self.run("python", "-c", program)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel in an environment of its own, with the dependencies of this one.

    Theirs is a path in a .pth file, and .pth files that lie there are not read: the source tree stays out of reach.
    """
    made = Installed(tmp_path_factory.mktemp("installed"))
    venv.create(made.bin.parent, symlinks=True)
    python = str(made.bin / "python")
    (packages,) = made.python("import sysconfig; print(sysconfig.get_path('purelib'))")
    Path(packages, "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (before,) = made.python("import importlib.util; print(importlib.util.find_spec('rsspot'))")
    assert before == "None"
    pip = (
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--no-deps",
        "--no-index",
        "--no-compile",
        "--quiet",
    )
    done = run(*pip, str(wheel), cwd=made.folder)
    assert done.returncode == 0, done.stderr
    return made


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    """Every file of it, data included; no tests, and nothing that was lying about."""
    names = ZipFile(wheel).namelist()
    about = f"rsspot-{VERSION}.dist-info/"
    package = {name for name in names if not name.startswith(about)}
    there = [file for file in (SOURCE / "rsspot").rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    assert package == {file.relative_to(SOURCE).as_posix() for file in there}
    assert {Path(name).suffix for name in package} == SUFFIXES
    assert not [name for name in package if "test_" in name or "/tests/" in name]
    described = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}
    assert {name.removeprefix(about) for name in names if name not in package} == described


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        ("rsspot/simulator/crds/*.yaml", 9),
        ("rsspot/simulator/spot/*.csv", 2),
        ("rsspot/simulator/front/page.html", 1),
        ("rsspot/reports/page/*", 3),
        ("rsspot/py.typed", 1),
    ],
)
def test_package_data_is_in_the_wheel(wheel: Path, pattern: str, count: int) -> None:
    """The simulator and reports read it at run time, and type checkers look for the marker."""
    assert len([name for name in ZipFile(wheel).namelist() if Path(name).match(pattern)]) == count


def test_the_import_comes_from_the_wheel(installed: Installed) -> None:
    """With the names that the package exports."""
    program = "import rsspot; print(rsspot.__file__); rsspot.SpotClient; print(*rsspot.__all__); import rsspot.testing"
    file, names = installed.python(program)
    assert Path(file).is_relative_to(installed.folder)
    assert names.split() == rsspot.__all__


def test_the_command_says_its_version_and_its_commands(installed: Installed) -> None:
    """By the script that the wheel installs."""
    done = installed.run("rsspot", "--version")
    assert (done.returncode, done.stdout) == (0, f"rsspot {VERSION}\n")
    done = installed.run("rsspot", "--help")
    assert done.returncode == 0 and "cloudspaces" in done.stdout and "simulator" in done.stdout


def test_the_sandbox_plans_the_manifests_of_the_repository(installed: Installed) -> None:
    """Which needs the simulator, its definitions and its catalog."""
    done = installed.run("rsspot", "--sandbox", "plan", str(ROOT / "manifests"))
    assert done.returncode == 0, done.stderr
    assert "8 to create" in done.stdout


def test_the_fixtures_are_registered_with_pytest(installed: Installed) -> None:
    """As everything else in the package, without a source tree."""
    program = (
        "from importlib.metadata import distribution\n"
        "(point,) = distribution('rsspot').entry_points.select(group='pytest11')\n"
        "print(point.load().__file__)"
    )
    (file,) = installed.python(program)
    assert Path(file).is_relative_to(installed.folder)
