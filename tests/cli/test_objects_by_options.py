"""What `create`, `update`, `patch` and `delete` make of their options, and what they refuse before anything is sent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rsspot.cli.app import root, run
from rsspot.cli.recording import words
from rsspot.cli_history import redacted

CLASS = ["--server-class", "gp.vs1.large-dfw", "--bid-price", "0.08"]


def done(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """Run a command in the sandbox. Gives its output, or what it says where it fails."""
    capsys.readouterr()
    ended = run(["--sandbox", *arguments])
    printed = capsys.readouterr()
    assert ended == code, printed
    return printed.err if code else printed.out


@pytest.fixture
def edge(capsys: pytest.CaptureFixture[str]) -> None:
    """Two cloudspaces, one with a pool."""
    for name in ("edge", "pools"):
        done(capsys, "cloudspaces", "create", name, "--region", "us-central-dfw-1")
    done(capsys, "spotnodepools", "create", "workers", "--cloudspace", "edge", *CLASS)


@pytest.mark.usefixtures("edge")
@pytest.mark.parametrize(
    "verb", [["delete", "--yes"], ["get"], ["update", "--desired", "3"], ["patch", '{"desired": 3}']]
)
def test_a_parent_called_like_the_kind_is_a_parent(verb: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Otherwise a cloudspace without pools would lead to a pool of another one."""
    command = ["spotnodepools", verb[0], "pools/workers", *verb[1:]]
    assert "none of the spotnodepools has the name 'pools/workers'" in done(capsys, *command, code=1)
    assert done(capsys, "spotnodepools", "list", "-o", "name") == "spotnodepool/edge/workers\n"


@pytest.mark.usefixtures("edge")
def test_update_sends_the_given_fields_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """An immutable field may be repeated, and not be changed. Maps are added to."""
    same = ["--cloudspace", "edge", "--server-class", "gp.vs1.large-dfw"]
    done(capsys, "spotnodepools", "update", "workers", *same, "--desired", "2", "--label", "tier=web")
    done(capsys, "spotnodepools", "update", "workers", "--label", "zone=a", "--taint", "spot=yes:NoSchedule")
    spec = json.loads(done(capsys, "spotnodepools", "get", "workers", "-o", "json"))["spec"]
    assert (spec["desired"], spec["bidPrice"], spec["customLabels"]) == (2, "0.08", {"tier": "web", "zone": "a"})
    assert spec["customTaints"] == [{"key": "spot", "effect": "NoSchedule", "value": "yes"}]
    other = ["spotnodepools", "update", "workers", "--server-class", "gp.vs1.xlarge-dfw"]
    assert "serverClass cannot be changed later: the object is 'gp.vs1.large-dfw'" in done(capsys, *other, code=3)
    assert "nothing to change" in done(capsys, "spotnodepools", "update", "workers", code=3)


def test_a_secret_comes_from_a_file_or_with_a_note(capsys: pytest.CaptureFixture[str]) -> None:
    """Arguments can be seen by other users of the machine."""
    Path("hook").write_text("https://example.com/one")
    create = ["cloudspaces", "create", "edge", "--region", "us-central-dfw-1", "--webhook"]
    assert run(["--sandbox", *create, "@hook"]) == 0
    assert capsys.readouterr().err == ""
    assert run(["--sandbox", "cloudspaces", "update", "edge", "--webhook", "https://example.com/two"]) == 0
    assert "other users of this machine can see arguments" in capsys.readouterr().err
    shown = json.loads(done(capsys, "cloudspaces", "get", "edge", "--show-secrets", "-o", "json"))
    assert shown["spec"]["webhook"] == "https://example.com/two"


def test_user_data_of_a_file_is_its_content_however_it_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    """As an option, as a field of an inline pool, and under the name that spotctl has for it."""
    Path("init.sh").write_text("#!/bin/bash\n")
    Path("key.pub").write_text("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKHEWQwDW1JzxHyvH0H5tBRwSYNTnzrIxiHZ2ZTVAAAA me\n")
    done(capsys, "vmsshkeys", "create", "laptop", "--public-key", "@key.pub")
    pool = "serverclass=gp.vs1.large-dfw,bidprice=0.02"
    inline = [
        "--vm-pool",
        f"name=a,{pool},vmuserdatafromscript=init.sh",
        "--vm-pool",
        f"name=b,{pool},vmuserdata=@init.sh",
    ]
    done(
        capsys, "vmcloudspaces", "create", "vms", "--region", "us-central-dfw-1", "--vm-ssh-key-name", "laptop", *inline
    )
    options = ["--server-class", "gp.vs1.large-dfw", "--bid-price", "0.02", "--vm-userdata-from-script", "init.sh"]
    done(capsys, "vmpools", "create", "c", "--vmcloudspace", "vms", *options)
    pools = [json.loads(done(capsys, "vmpools", "get", name, "--show-secrets", "-o", "json")) for name in "abc"]
    assert {pool["spec"]["vmUserData"] for pool in pools} == {"IyEvYmluL2Jhc2gK"}


def test_a_file_of_the_official_cli_is_taken_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """A value that begins with @ is no name of a file there, and no standard input is read."""
    cloudspace = {"name": "edge", "region": "us-central-dfw-1", "webhook": "@nothing"}
    pools = [{"serverclass": "gp.vs1.large-dfw", "bidprice": 0.08, "customlabels": {"a": "b"}}]
    Path("all.json").write_text(json.dumps({"cloudspace": cloudspace, "spotnodepools": pools}))
    done(capsys, "cloudspaces", "create", "--config", "all.json")
    shown = json.loads(done(capsys, "cloudspaces", "get", "edge", "--show-secrets", "-o", "json"))
    assert shown["spec"]["webhook"] == "@nothing"
    (pool,) = json.loads(done(capsys, "spotnodepools", "list", "-o", "json"))
    assert pool["spec"]["customLabels"] == {"a": "b"}


@pytest.mark.parametrize(
    "fields",
    ["{bad", "[1]", "serverclass=gp.vs1.large-dfw,hunter2", '{"serverclass": ', "vmuserdata=password:hunter2,hunter2"],
)
def test_what_cannot_be_read_is_not_quoted(fields: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It may hold a secret."""
    create = [
        "vmcloudspaces",
        "create",
        "vms",
        "--region",
        "us-central-dfw-1",
        "--vm-ssh-key-name",
        "k",
        "--vm-pool",
        fields,
    ]
    assert "hunter2" not in done(capsys, *create, code=3)


@pytest.mark.parametrize("option", [["--label", "hunter2"], ["--taint", "hunter2"], ["--annotation", "=hunter2"]])
def test_a_map_without_a_name_is_not_quoted(option: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """It may hold a secret too."""
    assert "hunter2" not in done(
        capsys, "spotnodepools", "create", "w", "--cloudspace", "edge", *CLASS, *option, code=3
    )


def test_no_registration_is_created_beside_a_group(capsys: pytest.CaptureFixture[str]) -> None:
    """Registering runs a program, which only an apply does."""
    assert "no such option" in done(capsys, "vmcloudspaces", "create", "vms", "--vmregistration", "{}", code=3)


def test_the_history_hides_a_spec_after_a_name() -> None:
    """With --name, the next word is the spec, which may hold a secret."""
    line = ["cloudspaces", "create", "--name", "edge", "hunter2secret"]
    assert redacted(words(_root(), line)) == "cloudspaces create --name edge ***"


def test_what_was_done_has_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    """A command that wrote something does not fail over how it is printed."""
    done(capsys, "cloudspaces", "create", "edge", "--region", "us-central-dfw-1", "-o", "name")
    assert done(capsys, "cloudspaces", "delete", "edge", "--yes", "-o", "name") == "edge\n"


@pytest.mark.usefixtures("edge")
def test_the_shape_of_03_is_for_documents(capsys: pytest.CaptureFixture[str]) -> None:
    """Tables, names and CSV are as always."""
    for output in ("table", "name", "csv"):
        command = ["spotnodepools", "list", "-o", output]
        assert done(capsys, *command, "--format", "released") == done(capsys, *command)
    released = json.loads(done(capsys, "spotnodepools", "list", "-o", "json", "--format", "released"))
    assert released["kind"] == "SpotNodePoolList"
    assert released["metadata"]["resourceVersion"].isdigit()
    regions = json.loads(done(capsys, "regions", "get", "uk-lon-1", "-o", "json", "--format", "released"))
    assert regions == {"name": "uk-lon-1", "description": "United Kingdom, London"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--nodes", "3", "--regions", "us-nowhere"], "no region 'us-nowhere'"),
        (["--nodes", "3", "--risk", "lo"], "unknown risk 'lo'"),
        (["--nodes", "0"], "Invalid value for '--nodes'"),
    ],
)
def test_a_recommendation_needs_what_exists(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistake is no empty result."""
    assert message in done(capsys, "pricing", "build", *arguments, code=3)


def test_a_recommendation_takes_words_in_capitals(capsys: pytest.CaptureFixture[str]) -> None:
    """Regions and families of classes have none."""
    command = ["pricing", "build", "--nodes", "3", "-o", "json"]
    small = done(capsys, *command, "--regions", "hkg-hkg-1", "--classes", "gp")
    assert done(capsys, *command, "--regions", "HKG-HKG-1", "--classes", "GP") == small
    assert json.loads(small)[0]["pools"][0]["region"] == "hkg-hkg-1"


def _root() -> object:
    import typer

    return typer.main.get_command(root)


def test_an_option_without_effect_is_taken_where_it_asks_for_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """The service does not scale on-demand pools; rsspot 0.3 had options for it."""
    done(capsys, "cloudspaces", "create", "edge", "--region", "us-central-dfw-1")
    create = ["ondemandnodepools", "create", "base", "--cloudspace", "edge", "--server-class", "gp.vs1.large-dfw"]
    off = ["--no-autoscaling", "--autoscaling-min", "0", "--autoscaling-max", "0"]
    assert "does not scale ondemandnodepools" in done(capsys, *create, "--autoscaling", code=3)
    done(capsys, *create, *off)
    done(capsys, "ondemandnodepools", "update", "base", "--within", "edge", "--desired", "2", *off)


def test_lists_show_a_region(capsys: pytest.CaptureFixture[str]) -> None:
    """A pool is where its cloudspace is. An unknown region is an error everywhere."""
    for name, region in (("edge", "us-central-dfw-1"), ("far", "uk-lon-1")):
        done(capsys, "cloudspaces", "create", name, "--region", region)
        server_class = f"gp.vs1.large-{region.split('-')[1 if name == 'far' else 2]}"
        pool = ["spotnodepools", "create", "workers", "--cloudspace", name, "--server-class", server_class]
        done(capsys, *pool, "--bid-price", "0.08")
    here = done(capsys, "spotnodepools", "list", "--region", "uk-lon-1", "-o", "name")
    assert here == "spotnodepool/far/workers\n"
    assert done(capsys, "regions", "list", "--region", "uk-lon-1", "-o", "name") == "region/uk-lon-1\n"
    Path("stack.yaml").write_text(
        "apiVersion: ngpc.rxt.io/v1\nkind: CloudSpace\nmetadata: {name: x}\nspec: {region: uk-lon-1}\n"
    )
    for command in (["spotnodepools", "list"], ["regions", "list"], ["vmsshkeys", "list"], ["plan", "stack.yaml"]):
        assert "did you mean 'uk-lon-1'?" in done(capsys, *command, "--region", "uk-lon1", code=3)


@pytest.mark.parametrize("command", ["regions get uk-lon1", "pricing get gp.vs1.large-lom", "sc get gp.vs1.large-lom"])
def test_a_name_that_is_not_there_is_answered_with_a_close_one(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """At the price of a list, which is read only then."""
    assert "did you mean" in done(capsys, *command.split(), code=1)


@pytest.mark.parametrize("number", ["1_0", "x", "1.5"])
def test_only_a_number_is_a_number(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Python would take 1_0 for ten."""
    create = ["spotnodepools", "create", "w", "--cloudspace", "edge", *CLASS, "--desired", number]
    assert "desired: must be a whole number" in done(capsys, *create, code=3)


def test_the_released_shape_is_json(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without -o, and by the variable."""
    monkeypatch.setenv("RSSPOT_FORMAT", "released")
    assert json.loads(done(capsys, "organizations", "list"))["organizations"][0]["name"] == "sandbox"
    assert done(capsys, "organizations", "list", "-o", "table").startswith("NAME")


@pytest.mark.parametrize("word", ["cs", "CloudSpace", "cloudspaces"])
def test_a_kind_is_explained_by_any_of_its_names(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As commands are called by them."""
    assert "KIND:     CloudSpace" in done(capsys, "explain", word)


def test_a_pool_is_where_its_cloudspace_is(capsys: pytest.CaptureFixture[str]) -> None:
    """A class of another region is refused before anything is sent, and so is a cloudspace that does not exist."""
    far = ["--server-class", "gp.vs1.large-hkg", "--bid-price", "0.08"]
    done(capsys, "cloudspaces", "create", "edge", "--region", "us-central-dfw-1")
    create = ["spotnodepools", "create", "workers", "--cloudspace"]
    message = "gp.vs1.large-hkg is in hkg-hkg-1, and edge is in us-central-dfw-1"
    assert message in done(capsys, *create, "edge", *far, code=3)
    assert "did you mean 'edge'?" in done(capsys, *create, "edgee", *CLASS, code=3)
    inline = ["--spotnodepool", "serverclass=gp.vs1.large-hkg,bidprice=0.08"]
    both = ["cloudspaces", "create", "web", "--region", "us-central-dfw-1", *inline]
    assert "gp.vs1.large-hkg is in hkg-hkg-1, and web is in us-central-dfw-1" in done(capsys, *both, code=3)
    assert done(capsys, "cloudspaces", "list", "-o", "name") == "cloudspace/edge\n"


def test_a_tab_is_called_a_tab_in_a_config_file_too(capsys: pytest.CaptureFixture[str]) -> None:
    """YAML takes none as indentation."""
    Path("config.yml").write_text("profiles:\n\tdefault: {}\n")
    assert run(["--config-file", "config.yml", "profiles", "list"]) == 3
    assert "a tab is used as indentation" in capsys.readouterr().err


def test_a_collection_is_never_deleted(capsys: pytest.CaptureFixture[str]) -> None:
    """Before anybody is asked."""
    path = "/apis/ngpc.rxt.io/v1/namespaces/org-sandbox000000001/cloudspaces"
    for yes in ([], ["--yes"]):
        said = done(capsys, "raw", "--method", "DELETE", "--path", path, *yes, code=3)
        assert "all would be deleted" in said
