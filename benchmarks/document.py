"""The page of results: docs/benchmarks.md from what one run has found. Measures nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from aims import AIMS, Lines, find, missed, value_of

Found = Mapping[str, Any]
UNSTABLE = """Seconds on this page are not stable: the machine is shared and virtual, and its load was up to {load:.1f}
during the run, on {processors} processors. Compare what stands in the same table."""
METHOD = """Written by `make benchmarks`, from one run. Figures are medians of rounds that alternate between what is
compared; applies are medians as well, and what stands beside other tools is from one round. Commands are processes of
their own, start-up included. CPU is user and system time of that process and its children; the server has a process of
its own. `plan`, lists and the SDK ask a server whose responses are made ahead, so that only the client is measured;
`apply` and tools by others ask the simulator, each a new one. "Before" is the same benchmarks with the rsspot of an
earlier commit, later in the same run and with the simulator of this one."""
SHAPED = """The same objects for all: rsspot from its manifests, the others from what rsspot had created, as manifests
of Kubernetes. *One by one* is a script (`benchmarks/object_by_object.py`) with the rule of Terraform: an object is
known by its name alone, so a refresh is one GET for each, a create one POST and one GET, ten under way at a time; it
records nothing and prints nothing, so it is a lower bound. *kubectl* is `kubectl apply` and `kubectl diff`. *Ansible*
is a playbook with `k8s_info` and one `k8s` task for all objects, then the same with `--check`. There is no latency
between the processes here: every request that a tool waits for costs it more on a real network."""
ROOMS = """Shares of the main thread, from a profile of each apart from what is measured above (`benchmarks/rooms.py`):
`plan -o json` of 10,000 objects, and `apply` of 1,000 creates by a simulator without latency. They are of CPU time, in
one table of the clock, where waiting for answers and for the disk counts as well. What functions in C take counts for
the room that calls them. Rooms are the folders of the package; docs/architecture.md says what each does."""
SIMULATOR = """The aims: a create takes at most 800 µs of CPU whatever the count, a list of 10,000 in pages brings at
least 25,000 objects a second, and 24 hours of 200 pools take at most 60 s."""


def page(found: Found) -> str:
    """The whole page."""
    sections = (head, aims, growth, beside, creates, lists, sdk, released, start_up, rooms, simulator)
    return "\n".join(line for section in sections for line in section(found)).rstrip() + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """A table in markdown, and an empty line."""
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(map(str, row))} |"
    yield ""


def titled(title: str, *texts: str) -> Iterator[str]:
    """The beginning of a section."""
    yield f"## {title}\n"
    for text in texts:
        yield f"{text}\n"


def seconds(line: Mapping[str, Any] | None, key: str = "cpu", digits: int = 2) -> str:
    """A figure of a result; empty if there is none."""
    return "" if line is None or line.get(key) is None else f"{line[key]:,.{digits}f}"


def times(above: Mapping[str, Any] | None, below: Mapping[str, Any] | None, key: str = "cpu") -> str:
    """The ratio of two results; empty if one is missing."""
    return f"{above[key] / below[key]:.2f} ×" if above and below and below[key] else ""


def head(found: Found) -> Iterator[str]:
    """What it was measured on."""
    machine = found["machine"]
    yield f"# Benchmarks\n\n{UNSTABLE.format(load=found['load'], processors=machine['processors'])}\n"
    yield f"{METHOD}\n"
    yield (
        f"Machine: {machine['processors']} × {machine['model']}, {machine['memory']} GiB, {machine['system']},"
        f" Python {machine['python']}."
    )
    yield f"Versions: {', '.join(f'{name} {version}' for name, version in found['versions'].items())}."
    before = found["before"].get("commit")
    yield f"Measured: commit {found['commit']}{f'; before: commit {before}' if before else ''}.\n"


def aims(found: Found) -> Iterator[str]:
    """The main table, and what is missed."""
    yield from titled("Aims, before and after")
    rows = []
    for aim in AIMS:
        before, now = value_of(aim, found["before"]), value_of(aim, found["now"])
        met = "not measured" if now is None else "yes" if aim.met(now) else "no"
        bound = f"{'≥' if aim.least else '≤'} {aim.told(aim.bound)}"
        rows.append((aim.subject, bound, aim.told(before), aim.told(now), met))
    yield from table(("what", "aim", "before", "now", "met"), rows)
    if sentences := list(missed(found["now"])):
        yield "What is missed, by how much, and what would reach it:\n"
        yield from (f"- {sentence}" for sentence in sentences)
        yield ""


def growth(found: Found) -> Iterator[str]:
    """Plans by size."""
    yield from titled("Plans, by the number of objects", "![CPU seconds by the number of objects](benchmarks.svg)")
    now, earlier = found["now"]["plan"], found["before"].get("plan", ())
    rows = []
    for size in dict.fromkeys(each["objects"] for each in now):
        bare, plan, changed = (find(now, what=what, objects=size) for what in ("bare", "plan", "changed"))
        before = find(earlier, what="plan", objects=size)
        rows.append(
            (
                f"{size:,}",
                *(seconds(bare), seconds(plan), times(plan, bare), seconds(before), times(before, plan)),
                *(seconds(changed), times(changed, plan), seconds(plan, "memory", 0), seconds(plan, "requests", 0)),
            )
        )
    heads = ("objects", "fetch and parse, CPU s", "plan, CPU s", "ratio", "plan before, CPU s", "before ÷ now")
    yield from table((*heads, "all changed, CPU s", "ratio", "memory, MiB", "requests"), rows)


def beside(found: Found) -> Iterator[str]:
    """Tools by others."""
    results: Lines = found["now"]["beside"]
    yield from titled("Beside other tools", SHAPED)
    names = {"rsspot": "rsspot", "object by object": "one by one", "kubectl": "kubectl", "ansible": "Ansible"}
    for what, title in (("create", "To create all"), ("compare", "To compare, when nothing differs")):
        rows = []
        for size in dict.fromkeys(each["objects"] for each in results if "objects" in each):
            ours = find(results, what=what, tool="rsspot", objects=size)
            each = {tool: find(results, what=what, tool=tool, objects=size) for tool in names}
            rows.append((f"{size:,}", *(_beside(line, ours) for line in each.values())))
        yield f"{title}: seconds, and in brackets CPU seconds; × is the time beside that of rsspot.\n"
        yield from table(("objects", *names.values()), rows)
    for tool in sorted({each["tool"] for each in results if each["what"] == "skipped"}):
        yield f"{names[tool]} was skipped: it is not installed.\n"


def _beside(line: Mapping[str, Any] | None, ours: Mapping[str, Any] | None) -> str:
    if line is None:
        return ""
    ratio = "" if line is ours else f", {times(line, ours, 'wall')}"
    return f"{seconds(line, 'wall')} ({seconds(line)}){ratio}"


def creates(found: Found) -> Iterator[str]:
    """An apply against a slow service."""
    yield from titled(
        "Creates at 50 ms of latency",
        "`apply` with 32 under way at a time, without what a plan of the same takes. Ideal is the latency alone.",
    )
    rows = []
    for when, results in (("before", found["before"].get("apply", ())), ("now", found["now"]["apply"])):
        for each in results:
            cells = (seconds(each, "ideal"), seconds(each, "wall"), f"{each['wall'] / each['ideal']:.2f} ×")
            own = f"{1e3 * each['cpu'] / each['objects']:.2f}"
            rows.append((f"{each['objects']:,}", when, *cells, seconds(each, "server"), own))
    heads = ("creates", "", "ideal, s", "apply, s", "ratio", "server's CPU, s", "client's CPU a create, ms")
    yield from table(heads, sorted(rows, key=lambda row: len(row[0])))


def lists(found: Found) -> Iterator[str]:
    """Lists by the command line."""
    names = {"bare": "fetch and parse only", "start": "start-up (`list --help`)"}
    yield from titled("Lists of pools, by the command line")
    rows = []
    for each in found["now"]["lists"]:
        before = find(found["before"].get("lists", ()), what=each["what"], objects=each["objects"])
        cells = (seconds(each), seconds(each, "first"), seconds(each, "wall"), seconds(each, "memory", 0))
        what = names.get(each["what"], f"`-o {each['what']}`")
        rows.append((f"{each['objects']:,}", what, *cells, seconds(before, "wall"), times(before, each, "wall")))
    heads = ("pools", "what", "CPU s", "first line, s", "end, s", "memory, MiB", "end before, s", "before ÷ now")
    yield from table(heads, rows)


def sdk(found: Found) -> Iterator[str]:
    """The SDK and plain httpx."""
    yield from titled("SDK beside plain httpx", "Milliseconds of a call: time, and in brackets CPU.")
    now, earlier = found["now"]["sdk"], found["before"].get("sdk", ())
    rows = []
    for what in dict.fromkeys(each["what"] for each in now if "cpu" in each):
        ours, theirs = (find(now, what=what, tool=tool) for tool in ("rsspot", "httpx"))
        before = [find(earlier, what=what, tool=tool) for tool in ("rsspot", "httpx")]
        ratios = (times(ours, theirs, "wall"), times(ours, theirs), times(*before))
        rows.append((what, _milliseconds(ours), _milliseconds(theirs), *ratios))
    yield from table(("what", "rsspot", "httpx", "time ratio", "CPU ratio", "CPU ratio before"), rows)
    for each in now:
        if each["what"] == "memory":
            memory = f"{each['kept']:.0f} MB, {each['peak']:.0f} at the peak"
            yield f"Memory of {each['objects']:,} {each['kind']}: {memory}.\n"


def _milliseconds(line: Mapping[str, Any] | None) -> str:
    return "" if line is None else f"{1e3 * line['wall']:,.2f} ({1e3 * line['cpu']:,.2f})"


def released(found: Found) -> Iterator[str]:
    """The release before this one."""
    results = found["now"]["released"]
    yield from titled(
        "Beside rsspot 0.3.0", "Milliseconds: time, and in brackets CPU. 0.3.0 reads one page of a list only."
    )
    if find(results, what="skipped"):
        yield "It was skipped: rsspot 0.3.0 is not installed.\n"
        return
    rows = []
    for what in dict.fromkeys(each["what"] for each in results):
        old, new = (find(results, what=what, tool=tool) for tool in ("0.3.0", "rsspot"))
        rows.append((what, _milliseconds(old), _milliseconds(new), times(old, new, "wall"), times(old, new)))
    yield from table(("what", "0.3.0", "now", "time ratio", "CPU ratio"), rows)


def start_up(found: Found) -> Iterator[str]:
    """Start-up."""
    yield from titled("Start-up", "Millions of instructions, by valgrind, and the fastest of five runs, in ms.")
    rows = []
    for each in found["now"]["startup"]:
        before = find(found["before"].get("startup", ()), what=each["what"]) or {}
        both = [f"{line['instructions'] / 1e6:,.0f}" if line.get("instructions") else "" for line in (each, before)]
        rows.append((f"`{each['what']}`", both[0], seconds(each, "milliseconds", 0), both[1]))
    yield from table(("command", "instructions", "ms", "instructions before"), rows)


def rooms(found: Found) -> Iterator[str]:
    """Where the time goes."""
    yield from titled("What the remaining cost is", ROOMS)
    for what in dict.fromkeys(each["what"] for each in found["now"]["rooms"]):
        shares = [each for each in found["now"]["rooms"] if each["what"] == what]
        rows = [(f"`{each['room']}`", f"{100 * each['share']:.0f} %") for each in shares if each["share"] >= 0.01]
        yield from table((what, "share"), rows)


def simulator(found: Found) -> Iterator[str]:
    """The simulator's own tables."""
    yield from titled("The simulator", SIMULATOR, f"```text\n{found['simulator']}\n```")
