"""What the history keeps of a command line: it can be read, and no secret is in it, wherever it was written."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from rsspot.cli.app import root
from rsspot.cli.recording import words
from rsspot.cli_history import SHOWN, is_shown, redacted, shown

PARSER = typer.main.get_command(root)
SECRETS = {
    "short": "hunter2",
    "word": "correcthorse",
    "token": "v1.MzQ1Njc4OTA-abcdefghijklmnop_QRS",
    "hex": "0123456789abcdef0123456789abcdef",
    "jwt": "eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl",
    "assignment": "TOKEN=hunter2",
    "lower assignment": "token=hunter2",
    "url": "https://user:hunter2@proxy.example.com:3128",
    "json": '{"webhook": "https://hooks.example.com/hunter2"}',
    "hyphen": "-hunter2",
    "two hyphens": "--hunter2",
    "spaces": "hunter2 hunter2",
    "lines": "hunter2\nhunter2",
}
POSITIONS = [
    "login {}",
    "logout {}",
    "whoami {}",
    "configure --refresh-token {}",
    "configure --refresh-token={}",
    "configure -p work --refresh-token {} --org acme",
    "configure --access-token {} --no-activate",
    "configure --client-id {}",
    "configure --client-id={}",
    "configure --base-url {}",
    "configure --oauth-url={} -o json",
    "cloudspaces create edge {}",
    "cloudspaces create edge {{}} --label {}",
    "cloudspaces create edge {{}} --label=owner={}",
    "spotnodepools patch workers {}",
    "cloudspaces list -l {}",
    "cloudspaces list -l{}",
    "cloudspaces list --selector {}",
    "cloudspaces list --selector app={}",
    "plan infra/ --var {}",
    "plan infra/ --var token={}",
    "plan --var=token={} infra/",
    "plan infra/ --var {} --var other={}",
    "plan infra/ --plan-key {}",
    "plan infra/ --nonsense {}",
    "plan infra/ --nonsense={}",
    "plan --nonsense infra/ {}",
    "--nonsense {} plan infra/",
    "-x {} plan infra/",
    "plan -x{}",
    "nonsense {}",
    "cloudspaces nonsense {}",
    "{}",
    "--sandbox {} plan",
    "plan infra/ --yes={}",
    "--sandbox={} plan infra/",
    "-v={} plan",
    "history list {}",
    "regions get dallas {}",
    "config path {}",
    "simulator run -- deploy --password {}",
    "simulator serve --rule {}",
    "simulator serve --host {}",
    "simulator advance 3h --url {}",
]


def recorded(*arguments: str) -> str:
    """The command line as the history has it."""
    return redacted(words(PARSER, arguments))


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("line", POSITIONS)
def test_no_secret_is_kept(line: str, secret: str) -> None:
    """The line is split as a shell does, with the secret as one word or a part of one."""
    arguments = [word.replace("{}", secret) for word in line.replace("{{}}", "SPEC").split()]
    arguments = ["{}" if word == "SPEC" else word for word in arguments]
    kept = recorded(*arguments)
    assert secret not in kept
    assert "hunter" not in kept.lower() and "correct" not in kept
    assert len(kept.split(" ")) == len(arguments)


@pytest.mark.parametrize("secret", [SECRETS[name] for name in SECRETS if name not in ("short", "word", "hex")])
@pytest.mark.parametrize(
    "line", ["plan {}", "cloudspaces get {}", "-p {} whoami", "--org={} whoami", "destroy --stack {}", "plan --out {}"]
)
def test_no_secret_is_kept_where_a_name_belongs(line: str, secret: str) -> None:
    """The second net: it does not look like a name."""
    assert recorded(*(word.replace("{}", secret) for word in line.split())).count("***") == 1


def test_a_long_key_is_not_kept_where_a_name_belongs() -> None:
    """Nor is one without upper case."""
    assert recorded("cloudspaces", "get", SECRETS["hex"]) == "cloudspaces get ***"


@pytest.mark.parametrize(
    "line",
    [
        "plan infra/",
        "apply infra/ --yes -o json",
        "--sandbox apply ./infra ../common/base.yaml --yes --wait accepted --wait-timeout 600",
        "apply --plan plan.json --parallelism 4 --deadline 90.5",
        "plan infra --prune --adopt --max-deletes 3 --allow-incomplete spotnodepools --out plan.json",
        "destroy --stack edge --yes",
        "explain spotnodepool/edge/workers infra/",
        "validate .",
        "-p work -c config.yml --org=acme --region us-central-dfw-1 whoami -vv",
        "cloudspaces list --within edge --no-cache --no-color",
        "cloudspaces upgrade edge 1.33.0",
        "cloudspaces kubeconfig edge --merge-into ./kube --context spot",
        "cloudspaces wait edge --gone --timeout 60",
        "spotnodepools delete workers -y",
        "events list --limit 20 --cloudspace edge",
        "pricing get gp.vs1.large-dfw",
        "login --store keyring",
        "configure --token-stdin --no-activate --keyring",
        "profiles use work",
        "config set-default region us-central-dfw-1",
        "history list --limit 5",
        "ledger show 12",
        "state export --out saved.json",
        "simulator serve --port 8080 --seed 7 --time-scale 60 --webhooks-everywhere",
        "simulator advance 3h",
        "simulator price gp.vs1.large-dfw 0.03",
    ],
)
def test_what_is_harmless_can_be_read(line: str) -> None:
    """Word for word."""
    assert recorded(*line.split()) == line


@pytest.mark.parametrize("line", ["plann ***", "cloudspaces lst", "plan infra/ --prun", "cloudspaces lst -o json"])
def test_a_misspelled_command_or_option_can_be_read(line: str) -> None:
    """It is the reason why the command failed."""
    assert recorded(*line.replace("***", "infra/").split()) == line


def test_the_value_of_an_option_without_a_mark_is_hidden() -> None:
    """Whoever adds an option and forgets the mark gets a history that says too little. Flags have no value."""
    app = typer.Typer()

    def deploy(
        given: Annotated[str, SHOWN],
        place: str = shown(typer.Option("", "--place")),
        marked: Annotated[int, SHOWN] = 1,
        plain: str = "",
        number: int = 0,
        force: bool = False,
    ) -> None: ...

    app.command()(deploy)
    app.callback()(lambda: None)
    line = "deploy here --place paris --marked 3 --plain rome --number 7 --force"
    kept = redacted(words(typer.main.get_command(app), line.split()))
    assert kept == "deploy here --place paris --marked 3 --plain *** --number *** --force"


def test_values_are_marked_only_where_they_are_declared() -> None:
    """By a wrapper around the declaration, or in the annotation."""
    option: Any = typer.Option("")
    assert not is_shown(option)
    assert is_shown(shown(option))
    assert is_shown(Annotated[str, SHOWN]) and not is_shown(Annotated[str, "something else"])


@given(
    st.lists(st.one_of(st.sampled_from(["plan", "--", "-o", "--var", "cloudspaces", "create", "-l", "-v"]), st.text()))
)
def test_every_command_line_can_be_recorded(arguments: list[str]) -> None:
    """Whatever it is, word for word and on one line."""
    kept = recorded(*arguments)
    assert kept.isprintable()
    assert len(kept.split(" ")) == max(1, len(arguments))
