"""ProfileManager and save_config on files that people wrote: one change is one edit, and the rest stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsspot import ProfileConfig, SDKConfig, SpotClient
from rsspot.config import ProfileManager, load_config, save_config
from rsspot.config.files import read

YAML = """\
# My accounts.
activeProfile: work
profiles:
  work:
    # Ask Ann about this one.
    org: my-org  # not the other one
    refreshToken: t
  home:
    organization: other
    # The fast one.
    region: us-east-iad-1
    refreshToken: t
"""
TOML = """\
# My accounts.
active_profile = "work"

[profiles.work]
# Ask Ann about this one.
org = "my-org" # not the other one
refresh_token = "t"

[profiles.home]
organization = "other"
# The fast one.
region = "us-east-iad-1"
refresh_token = "t"
"""
FIRST_RELEASE = """\
default_profile: work
retry:
  max_attempts: 3  # as the service is slow
preferences:
  default_profile: work
  profile_orgs: {work: my-org}  # for work
profiles:
  work: {refresh_token: t}
  home: {org: other, refresh_token: t}
"""
FORMATS = pytest.mark.parametrize("text", [YAML, TOML], ids=["yml", "toml"])


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of its own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CONFIG_HOME", "RSSPOT_CONFIG", "RSSPOT_PROFILE"):
        monkeypatch.delenv(name, raising=False)


def written(folder: Path, text: str) -> Path:
    """A config file."""
    path = folder / ("config.toml" if text is TOML else "config.yml")
    path.write_text(text)
    path.chmod(0o600)
    return path


@FORMATS
def test_choosing_a_profile_changes_one_word(tmp_path: Path, text: str) -> None:
    """All else stays as it is, comments and order included."""
    path = written(tmp_path, text)
    chosen = ProfileManager(path).set_active_profile("home")
    assert chosen.active_profile == chosen.default_profile == "home"
    first, _, rest = text.partition("work")
    assert path.read_text().replace('"', "") == f"{first}home{rest}".replace('"', "")


@FORMATS
def test_choosing_the_same_profile_changes_nothing(tmp_path: Path, text: str) -> None:
    """Not even the layout."""
    path = written(tmp_path, text)
    ProfileManager(path).set_active_profile("work")
    assert path.read_text() == text


def test_a_file_of_the_first_release_stays_one(tmp_path: Path) -> None:
    """The key that takes precedence there is changed too."""
    path = written(tmp_path, FIRST_RELEASE)
    assert ProfileManager(path).set_active_profile("home").active_profile == "home"
    assert read(path).active_profile == "home"
    assert "max_attempts: 3  # as the service is slow" in path.read_text()
    assert "profile_orgs: {work: my-org}  # for work" in path.read_text()


@FORMATS
def test_deleting_the_default_profile_chooses_another(tmp_path: Path, text: str) -> None:
    """Whose comments stay."""
    path = written(tmp_path, text)
    assert ProfileManager(path).delete_profile("work").active_profile == "home"
    assert set(read(path).profiles) == {"home"}
    assert "The fast one." in path.read_text()


@FORMATS
def test_deleting_the_last_profile_leaves_a_file_that_clients_can_read(tmp_path: Path, text: str) -> None:
    """It names no profile any more, so that the next one can be added."""
    path = written(tmp_path, text)
    manager = ProfileManager(path)
    manager.delete_profile("home")
    assert manager.delete_profile("work").active_profile is None
    file = read(path)
    assert (file.active_profile, file.profiles) == (None, {})
    assert "preferences" not in path.read_text()
    with SpotClient(config_path=path, refresh_token="t") as client:
        assert client.profile_name == "default"
    assert manager.upsert_profile("new", ProfileConfig(org="x")).active_profile == "new"


def test_deleting_the_last_profile_of_a_first_release(tmp_path: Path) -> None:
    """None of its keys for the default profile is left."""
    path = written(tmp_path, FIRST_RELEASE)
    manager = ProfileManager(path)
    for name in ("work", "home"):
        manager.delete_profile(name)
    assert read(path).active_profile is None
    assert "default_profile" not in path.read_text()


def test_deleting_a_file_that_is_one_profile(tmp_path: Path) -> None:
    """Its name is `default`."""
    path = written(tmp_path, "org: my-org\nrefresh_token: t\n")
    assert ProfileManager(path).delete_profile("default").profiles == {}


@FORMATS
def test_replacing_a_profile_leaves_the_others(tmp_path: Path, text: str) -> None:
    """And the comments of what stays in it; a setting that the new one has not is removed."""
    path = written(tmp_path, text)
    ProfileManager(path).upsert_profile("work", ProfileConfig(org="my-org", region="us-east-iad-1"))
    for comment in ("My accounts.", "Ask Ann about this one.", "not the other one", "The fast one."):
        assert comment in path.read_text()
    work = read(path).profiles["work"]
    assert (work.organization, work.region, work.refresh_token) == ("my-org", "us-east-iad-1", None)
    assert read(path).profiles["home"].organization == "other"


def test_an_empty_profile_can_be_added(tmp_path: Path) -> None:
    """To a file, and to one that is not there yet."""
    for path in (written(tmp_path, YAML), tmp_path / "new" / "config.yml"):
        manager = ProfileManager(path)
        manager.upsert_profile("empty", ProfileConfig(), activate=True)
        assert "empty" in manager.list_profiles()
        assert manager.get_profile().org is None


@FORMATS
def test_saving_what_was_loaded_changes_nothing(tmp_path: Path, text: str) -> None:
    """Nothing is reordered, nothing is added."""
    path = written(tmp_path, text)
    save_config(load_config(config_path=path).data, path=path)
    assert path.read_text() == text


@FORMATS
def test_saving_removes_what_was_removed(tmp_path: Path, text: str) -> None:
    """A profile, a setting of another one, and the choice of one."""
    path = written(tmp_path, text)
    config = load_config(config_path=path).data
    del config.profiles["work"]
    config.active_profile = config.default_profile = None
    config.profiles["home"] = ProfileConfig(org="other")
    save_config(config, path=path)
    file = read(path)
    assert (file.active_profile, set(file.profiles)) == (None, {"home"})
    assert file.profiles["home"].model_fields_set == {"organization"}


@FORMATS
def test_saving_an_empty_config_empties_the_file(tmp_path: Path, text: str) -> None:
    """Which can be read and filled again."""
    path = written(tmp_path, text)
    save_config(SDKConfig(), path=path)
    assert read(path).model_dump(exclude_unset=True) == {"profiles": {}}
    assert ProfileManager(path).upsert_profile("new", ProfileConfig(org="x")).profiles["new"].org == "x"
