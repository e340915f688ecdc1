"""A plan and a run for programs: the plan as `rsspot.plan/1`, each event as one line of JSON."""

from __future__ import annotations

from dataclasses import asdict

from rsspot.applier.events import Event, Recap
from rsspot.planner.codec import dump_plan
from rsspot.planner.plan import Plan
from rsspot.reports.protocol import Detail, Traffic
from rsspot.utils.output import as_json, as_json_line, as_yaml


class JsonReport:
    """JSON, and JSON lines for a run."""

    def __init__(self, *, color: bool = False) -> None:
        self.color = color
        self.verbose = False
        self.detail = Detail.FULL

    def plan(self, plan: Plan) -> str:
        return as_json(dump_plan(plan), parsed=True)

    def event(self, event: Event, elapsed: float) -> str | None:
        return as_json_line(event_document(event))

    def recap(self, recap: Recap, traffic: Traffic) -> str:
        return as_json_line(recap_document(recap, traffic))


def event_document(event: Event) -> dict[str, object]:
    """An event as a JSON object. type: the name of its class"""
    return {"type": type(event).__name__, **asdict(event)}


def recap_document(recap: Recap, traffic: Traffic) -> dict[str, object]:
    """The end of a run as a JSON object. reasons: everything that kept it from being a success, worst first"""
    counted = {"requests": traffic.requests, "retries": traffic.retries, "seconds": round(traffic.elapsed, 3)}
    return {"type": "Recap", **asdict(recap), **counted, "exitCode": recap.exit_code}


class YamlReport(JsonReport):
    """The plan as YAML. Events are JSON lines: YAML documents cannot be separated while they arrive."""

    def plan(self, plan: Plan) -> str:
        return as_yaml(dump_plan(plan))
