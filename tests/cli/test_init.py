"""`init`: from nothing to manifests that validate and plan, by options and by questions."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from test_terminal_and_files import Terminal

from rsspot.cli.app import run
from rsspot.cli.init import Given, decide
from rsspot.cli.questions import Questions
from rsspot.errors import Cancelled, UsageError
from rsspot.manifests.source import parse_text
from rsspot.models.bids import objection, suggestion
from rsspot.testing import SimulatedSpot
from rsspot.workflows.first_stack import FirstStack, Market, name_from, read_market

ALL = ["--name", "edge", "--server-class", "gp.vs2.large-sjc", "--bid-price", "0.06", "--desired", "3"]
FILES = {"stack.yaml", "cluster.yaml", ".rsspot.schema.json"}


def test_what_is_written_validates_and_plans(capsys: pytest.CaptureFixture[str]) -> None:
    """With the suggestions for everything, by the very commands that it names."""
    assert run(["--sandbox", "init", "my infra", "--yes"]) == 0
    printed = capsys.readouterr().out
    assert {path.name for path in Path("my infra").iterdir()} == FILES
    assert "  rsspot --sandbox plan 'my infra'\n" in printed
    assert run(["validate", "my infra"]) == 0
    assert "2 manifests in 2 files are valid (stack 'my-infra')" in capsys.readouterr().out
    assert run(["--sandbox", "plan", "my infra"]) == 0
    assert "2 to create" in capsys.readouterr().out
    assert run(["--sandbox", "apply", "my infra", "--yes"]) == 0


def test_the_documentation_shows_what_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--sandbox", "init", "infra", "--yes"]) == 0
    page = Path(__file__).parents[2] / "docs" / "getting-started.md"
    assert f"$ rsspot --sandbox init infra --yes\n{capsys.readouterr().out}```" in page.read_text()


def test_options_decide(capsys: pytest.CaptureFixture[str]) -> None:
    """All of it, without a terminal and without --yes."""
    assert run(["--sandbox", "init", "infra", *ALL, "--stack", "production", "-o", "json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["next"] == ["rsspot --sandbox plan infra", "rsspot --sandbox apply infra"]
    assert {Path(path).name for path in printed["written"]} == FILES
    assert Path("infra/cluster.yaml").read_text() == (
        "# yaml-language-server: $schema=./.rsspot.schema.json\n"
        "# A Kubernetes cluster, and workers won at auction.\n"
        "apiVersion: ngpc.rxt.io/v1\n"
        "kind: CloudSpace\n"
        "metadata:\n"
        "  name: edge\n"
        "spec:\n"
        "  region: ${var:region}\n"
        "  kubernetesVersion: 1.33.0\n"
        "---\n"
        "apiVersion: ngpc.rxt.io/v1\n"
        "kind: SpotNodePool\n"
        "metadata:\n"
        "  name: workers\n"
        "spec:\n"
        "  cloudSpace: edge\n"
        "  serverClass: gp.vs2.large-sjc\n"
        "  desired: 3\n"
        "  bidPrice: 0.06\n"
    )
    assert "name: production\nspec:\n  variables:\n    region: us-west-sjc-1\n" in Path("infra/stack.yaml").read_text()


def test_the_schema_that_files_name_holds_for_them() -> None:
    """The first line leads an editor to a file that is there."""
    assert run(["--sandbox", "init", "infra", *ALL]) == 0
    for file in Path("infra").glob("*.yaml"):
        text = file.read_text()
        (target,) = re.findall(r"\A# yaml-language-server: \$schema=(\S+)\n", text)
        schema = Draft202012Validator(json.loads((file.parent / target).read_text()))
        for source in parse_text(text, file.name)[0]:
            assert [error.message for error in schema.iter_errors(source.value)] == []


@pytest.mark.parametrize("name", sorted(FILES))
@pytest.mark.parametrize("link", [False, True], ids=["a file", "a link to nothing"])
def test_nothing_is_overwritten(name: str, link: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """One file of ours in the way is enough, and then nothing is written."""
    if link:
        Path(name).symlink_to("elsewhere")
    else:
        Path(name).write_text("mine")
    assert run(["--sandbox", "init", *ALL]) == 3
    assert f"has {name} already" in capsys.readouterr().err
    assert [path.name for path in Path().iterdir()] == [name]


def test_other_files_are_not_in_the_way() -> None:
    Path("notes.txt").write_text("mine")
    assert run(["--sandbox", "init", *ALL]) == 0
    assert {path.name for path in Path().iterdir()} == FILES | {"notes.txt"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no terminal to ask for --name, --region, --server-class, --bid-price, --desired"),
        (["--name", "a", "--server-class", "b"], "no terminal to ask for --bid-price, --desired"),
        (["--yes", "--name", "My_Edge"], "'My_Edge' is not a name"),
        (["--yes", "--region", "us-cental-dfw-2"], "did you mean 'us-central-dfw-2'?"),
        (["--yes", "--server-class", "gp.vs2.larg-sjc"], "did you mean 'gp.vs2.large-sjc'?"),
        (["--yes", "--server-class", "gp.vs2.large-sjc", "--region", "us-central-dfw-2"], "takes bids in us-central"),
        (["--yes", "--server-class", "gp.vs2.large-sjc", "--bid-price", "0.07"], "the next valid bid is 0.08"),
        (["--yes", "--bid-price", "cheap"], "the bid must be a number such as 0.03"),
        (["--yes", "--stack", "-"], "'-' is not a name"),
        (["--yes", "--desired", "0"], "--desired"),
    ],
)
def test_what_cannot_be_is_refused(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With the closest thing that can, and before anything is written."""
    assert run(["--sandbox", "init", "infra", *arguments]) == 3
    assert message in capsys.readouterr().err
    assert not Path("infra").exists()


def test_a_folder_that_cannot_be_written_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    Path("file").write_text("mine")
    assert run(["--sandbox", "init", "file", *ALL]) == 3
    assert run(["--sandbox", "init", "file/below", *ALL]) == 3
    assert "cannot write to file/below: Not a directory" in capsys.readouterr().err


def test_a_name_is_made_from_that_of_the_folder() -> None:
    assert name_from(Path("/srv/My Infra_2")) == "my-infra-2"
    assert name_from(Path("/")) == "demo"


@pytest.mark.parametrize("cents", range(1, 60))
def test_a_suggestion_is_a_bid_that_the_service_takes(cents: int) -> None:
    """Now, and after the market has risen to the lowest bid of today."""
    price = Decimal(cents) / 100
    bid = suggestion(Decimal("0.01"), price)
    assert objection(bid, Decimal("0.01"), price) is None and bid > price


# Questions


class Person:
    """Somebody who types these lines, and what they were shown."""

    def __init__(self, *lines: str) -> None:
        self._lines = list(lines)
        self.shown = ""

    @property
    def questions(self) -> Questions:
        return Questions(self._read, self._see)

    def _read(self) -> str:
        return f"{self._lines.pop(0)}\n" if self._lines else ""

    def _see(self, text: str) -> None:
        self.shown += text


@pytest.fixture
async def market(spot_api: SimulatedSpot) -> Market:
    async with spot_api.client() as client:
        return await read_market(client)


def decided(market: Market, lines: Sequence[str], given: Given | None = None) -> tuple[FirstStack, str]:
    """What comes of the answers, and what was shown."""
    person = Person(*lines)
    return decide(
        given or Given(), market, person.questions, folder=Path("infra"), region="us-west-sjc-1"
    ), person.shown


async def test_each_answer_counts(market: Market) -> None:
    """A number of a row, or a word of one."""
    chosen, shown = decided(market, ["edge", "us-central-dfw-2", "gp.vs2.large-dfw2", "0.08", "3"])
    assert chosen == FirstStack("edge", "edge", "us-central-dfw-2", "gp.vs2.large-dfw2", Decimal("0.08"), 3)
    assert "Name of the cloudspace [infra]: " in shown


async def test_empty_answers_are_the_suggestions(market: Market) -> None:
    """The region of the profile comes first, and the cheapest class."""
    chosen, shown = decided(market, [""] * 5)
    cheapest = market.in_region("us-west-sjc-1")[0]
    assert chosen == FirstStack("infra", "infra", "us-west-sjc-1", cheapest.name, cheapest.bid, 1)
    assert shown.index("us-west-sjc-1") < shown.index("us-central-dfw-2")


async def test_classes_are_shown_by_price(market: Market) -> None:
    _, shown = decided(market, ["", "us-central-dfw-2", "1", "", ""])
    prices = [Decimal(row.split()[-2]) for row in shown.splitlines() if re.match(r"[0-9]+ +\S+-dfw2 ", row)]
    assert len(prices) > 5 and prices == sorted(prices)


async def test_a_wrong_answer_is_asked_for_again(market: Market) -> None:
    """With what is wrong, and the next bid that the service would take."""
    lines = ["Edge!", "edge", "99", "us-west-sjc-1", "gp.vs2.larg-sjc", "gp.vs2.large-sjc", "0.07", "0.08", "none", "2"]
    chosen, shown = decided(market, lines)
    assert (chosen.name, chosen.server_class, chosen.bid, chosen.desired) == (
        "edge",
        "gp.vs2.large-sjc",
        Decimal("0.08"),
        2,
    )
    for message in (
        "'Edge!' is not a name",
        "no region '99'",
        "did you mean",
        "next valid bid is 0.08",
        "'none' is not",
    ):
        assert message in shown


async def test_what_is_given_is_not_asked(market: Market) -> None:
    chosen, shown = decided(market, ["", ""], Given(name="edge", server_class="gp.vs2.large-sjc"))
    assert (chosen.region, chosen.desired) == ("us-west-sjc-1", 1)
    assert shown.count("[") == 2


async def test_the_end_of_input_writes_nothing(market: Market) -> None:
    with pytest.raises(Cancelled, match="nothing was written"):
        decided(market, ["edge"])


async def test_a_market_without_bids_is_an_error(market: Market) -> None:
    with pytest.raises(UsageError, match="no server class of any region takes bids now"):
        decide(Given(), Market(market.regions, ()), None, folder=Path("infra"))


def test_questions_are_asked_at_a_terminal() -> None:
    """And Ctrl-C ends them with 8, one line and no file."""
    terminal = Terminal("--sandbox", "init", "infra")
    try:
        terminal.read_until("Name of the cloudspace [infra]: ")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.process.wait(60) == 8
        assert "Traceback" not in terminal.read_until()
    finally:
        terminal.close()
    assert not Path("infra").exists()
