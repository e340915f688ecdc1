"""Config files and token files as other programs and systems write them, and users without a home directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rsspot.cli.app import run
from rsspot.config.files import read
from rsspot.config.loader import resolve, state_path_of
from rsspot.config.manager import edit
from rsspot.errors import ConfigError

MARK = b"\xef\xbb\xbf"
TEXTS = {
    "yml": "profiles:\n  default: {organization: acme, refreshToken: r}\n",
    "toml": '[profiles.default]\norganization = "acme"\nrefreshToken = "r"\n',
    "json": '{"profiles": {"default": {"organization": "acme", "refreshToken": "r"}}}\n',
}
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
)


def settings_of(path: Path) -> dict[str, Any]:
    """The settings of a file by name."""
    resolved = resolve(config_path=path, environ={"HOME": str(path.parent)})
    return {name: setting.value for name, setting in resolved.settings.items()}


@pytest.mark.parametrize("suffix", TEXTS)
@pytest.mark.parametrize("start", [b"", MARK])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_file_from_windows_is_read_and_edited(tmp_path: Path, suffix: str, start: bytes, line_end: str) -> None:
    """With a byte order mark, and with its line ends."""
    path = tmp_path / f"config.{suffix}"
    path.write_bytes(start + TEXTS[suffix].replace("\n", line_end).encode())
    assert settings_of(path) == {"organization": "acme", "refresh_token": "r"}
    edit(path, {("profiles", "default", "region"): "dfw"})
    assert settings_of(path) == {"organization": "acme", "refresh_token": "r", "region": "dfw"}


@pytest.mark.parametrize("content", [MARK + b"token\r\n", b"\r\ntoken\r\n", MARK + b" token"])
def test_a_token_file_from_windows_is_read(tmp_path: Path, content: bytes) -> None:
    """A mark that was sent with the token would have it refused."""
    (tmp_path / "token").write_bytes(content)
    environ = {"HOME": str(tmp_path), "RSSPOT_REFRESH_TOKEN_FILE": str(tmp_path / "token")}
    assert resolve(environ=environ).get("refresh_token") == "token"


def test_a_token_file_has_a_maximum_size(tmp_path: Path) -> None:
    """A log that was named by mistake is not sent as a token; neither is a device read forever."""
    (tmp_path / "token").write_text("x" * 100_000)
    for path, clause in ((tmp_path / "token", "larger than 64 KiB"), (Path("/dev/zero"), "not a regular file")):
        environ = {"HOME": str(tmp_path), "RSSPOT_REFRESH_TOKEN_FILE": str(path)}
        with pytest.raises(ConfigError, match=f"{path} .*RSSPOT_REFRESH_TOKEN_FILE.*: {clause}"):
            resolve(environ=environ)


@pytest.mark.parametrize("name", ["no", "on", "1:30", "012", "1.10", "2024-99-99", "~", "true", "1_000"])
def test_the_name_of_a_profile_is_its_text(tmp_path: Path, name: str) -> None:
    """In YAML 1.1, `no` is False, 1:30 is 90 and 012 is ten."""
    path = tmp_path / "config.yml"
    path.write_text(f"profiles:\n  {name}: {{org: a}}\n")
    assert list(read(path).profiles) == [name]
    assert resolve(config_path=path, environ={"HOME": str(tmp_path)}, profile=name).get("organization") == "a"


@pytest.mark.parametrize(
    ("written", "value"),
    [("no", "no"), ("012", "12"), ("1:30", "1:30"), ("2026-01-01", "2026-01-01"), ("1_0", "1_0"), ("'012'", "012")],
)
def test_values_follow_yaml_1_2_as_in_manifests(tmp_path: Path, written: str, value: str) -> None:
    """A number or a date of YAML 1.1 is a word."""
    path = tmp_path / "config.yml"
    path.write_text(f"org: {written}\n")
    assert str(settings_of(path)["organization"]) == value


@pytest.mark.parametrize("name", ["no", "1:30", "on"])
def test_a_profile_with_such_a_name_can_be_edited(tmp_path: Path, name: str) -> None:
    """And keeps its spelling."""
    path = tmp_path / "config.yml"
    path.write_text(f"profiles:\n  {name}: {{org: a}} # theirs\n")
    edit(path, {("profiles", name, "org"): "x"})
    assert path.read_text() == f"profiles:\n  {name}: {{org: x}} # theirs\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("profiles:\n  a: {}\n  a: {}\n", ":3:3 is not valid YAML: a key is written twice"),
        ("profiles: !mine {}\n", ":1:11 is not valid YAML: this tag is not allowed"),
        ("region: !!int abc\n", ":1:9 is not valid YAML: this is not a number"),
        (BOMB, ":1:31 is not valid YAML: aliases unfold to more than 100000 values"),
        ("a: &a [*a]\n", " is nested too deeply for a config file"),
        ("a: 1\n---\nb: 1\n", ":2:1 is not valid YAML"),
    ],
)
def test_yaml_that_is_not_plain_values_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """With the position, and without quoting."""
    path = tmp_path / "config.yml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read(path)
    assert str(caught.value) == f"{path}{message}"


def test_an_edited_file_stays_within_its_bound(tmp_path: Path) -> None:
    """A file that is too large to be read is not edited either."""
    path = tmp_path / "config.yml"
    path.write_text("#" * (1024 * 1024 + 1))
    with pytest.raises(ConfigError, match="is larger than 1 MiB; it was not changed"):
        edit(path, {("activeProfile",): "x"})


# Users without a home directory, as in a container that runs under any number


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user whom the system does not know, without HOME."""

    def unknown() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", unknown)
    for name in ("HOME", "XDG_CONFIG_HOME", "RSSPOT_SANDBOX"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("homeless")
@pytest.mark.parametrize("arguments", [["config", "explain"], ["--sandbox", "cloudspaces", "list"]])
def test_without_a_home_directory_the_error_names_what_to_set(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    """Exit code 3 and a hint, no traceback."""
    assert run(arguments) == 3
    errors = capsys.readouterr().err
    assert "there is no home directory" in errors
    assert all(name in errors for name in ("HOME", "RSSPOT_CONFIG", "RSSPOT_STATE_PATH", "RSSPOT_SANDBOX"))


@pytest.mark.usefixtures("homeless")
def test_a_home_directory_is_needed_for_default_paths_only(tmp_path: Path) -> None:
    """Whoever names the files needs none."""
    named = str(tmp_path / "state.db")
    assert state_path_of(environ={"RSSPOT_STATE_PATH": named}) == tmp_path / "state.db"
    (tmp_path / "c.json").write_text("{}")
    assert state_path_of(environ={"RSSPOT_CONFIG": str(tmp_path / "c.json")}) == tmp_path / "state.db"
    assert state_path_of(environ={"XDG_CONFIG_HOME": str(tmp_path)}) == tmp_path / "rsspot" / "state.db"
    with pytest.raises(ConfigError, match="there is no home directory"):
        state_path_of(environ={})


@pytest.mark.parametrize("variable", ["RSSPOT_CONFIG", "RSSPOT_STATE_PATH", "RSSPOT_REFRESH_TOKEN_FILE"])
def test_the_home_of_an_unknown_user_is_a_config_error(tmp_path: Path, variable: str) -> None:
    """The path is named."""
    with pytest.raises(ConfigError, match=r"~nobody-of-this-name/x: there is no such home directory"):
        resolve(environ={"HOME": str(tmp_path), variable: "~nobody-of-this-name/x"})
