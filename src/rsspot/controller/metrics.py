"""Metrics of a controller in Prometheus' format, by the library prometheus-client. Measures nothing itself.

Every metric has the label `stack`. Numbers of a moment are those of the last round that could look.
"""

from __future__ import annotations

from rsspot.constants import VERSION
from rsspot.controller.rounds import Round, RoundOutcome
from rsspot.errors import UsageError
from rsspot.models.costs import Measure
from rsspot.planner.change import Action

SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
"""Upper bounds of the histogram of rounds."""


class Metrics:
    """What a controller counts. Raises UsageError if the library is missing."""

    def __init__(self) -> None:
        try:
            from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
        except ImportError:
            raise UsageError(
                "the prometheus-client library is not installed", hint="pip install 'rsspot[metrics]'"
            ) from None
        self._registry = registry = CollectorRegistry()
        stack = ["stack"]
        Gauge("rsspot_build_info", "The version that runs.", ["version"], registry=registry).labels(VERSION).set(1)
        self._rounds = Counter("rsspot_rounds", "Rounds by their outcome.", [*stack, "outcome"], registry=registry)
        self._seconds = Histogram(
            "rsspot_round_seconds", "How long rounds took.", stack, buckets=SECONDS, registry=registry
        )
        self._last = Gauge(
            "rsspot_last_round_timestamp_seconds",
            "When the last round of this outcome ended.",
            [*stack, "outcome"],
            registry=registry,
        )
        self._changes = Gauge(
            "rsspot_planned_changes", "What an apply would do now.", [*stack, "action"], registry=registry
        )
        self._drifted = Gauge("rsspot_drifted_objects", "Objects that somebody else changed.", stack, registry=registry)
        self._unchanged = Gauge("rsspot_unchanged_objects", "Objects that are as declared.", stack, registry=registry)
        self._steps = Counter("rsspot_steps", "Steps of runs by their result.", [*stack, "result"], registry=registry)
        self._cost = Gauge(
            "rsspot_cost_dollars_per_hour", "What the stack costs.", [*stack, "measure"], registry=registry
        )
        self._leads = Gauge(
            "rsspot_leader", "1 while this controller has the stack, 0 on standby.", stack, registry=registry
        )
        self._paused = Gauge("rsspot_paused", "1 while the Stack says to leave it.", stack, registry=registry)
        self._stale = Gauge("rsspot_source_stale", "1 while git gives no newer commit.", stack, registry=registry)

    def add(self, ended: Round) -> None:
        """Count a round."""
        stack, outcome = ended.stack, ended.outcome
        self._rounds.labels(stack, outcome.value).inc()
        self._leads.labels(stack).set(outcome is not RoundOutcome.STANDBY)
        if outcome is RoundOutcome.STANDBY:
            return
        self._seconds.labels(stack).observe(ended.seconds)
        self._last.labels(stack, outcome.value).set(ended.began.timestamp() + ended.seconds)
        self._paused.labels(stack).set(outcome is RoundOutcome.PAUSED)
        self._stale.labels(stack).set(bool(ended.declared and ended.declared.stale))
        if ended.plan is not None:
            self._add_plan(ended)
        if ended.recap is not None:
            for result, count in ended.recap.counts.items():
                self._steps.labels(stack, result).inc(count)

    def _add_plan(self, ended: Round) -> None:
        plan, stack, healed = ended.plan, ended.stack, ended.outcome is RoundOutcome.APPLIED
        assert plan is not None
        summary = plan.summary
        for action in Action:
            self._changes.labels(stack, action.value).set(0 if healed else summary[action.value])
        self._drifted.labels(stack).set(0 if healed else len(ended.drifted))
        self._unchanged.labels(stack).set(plan.unchanged)
        if plan.cost is None:
            return
        cost = plan.cost.shift.after if healed else plan.cost.shift.before
        if cost is None:
            return
        for measure in Measure:
            amount = cost.per_hour(measure)
            if amount is not None:
                self._cost.labels(stack, measure.value).set(float(amount))

    def text(self) -> bytes:
        """All of it, as a scrape gets it."""
        from prometheus_client import generate_latest

        return bytes(generate_latest(self._registry))
