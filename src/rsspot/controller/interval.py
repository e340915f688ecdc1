"""When the next round begins: an interval with jitter, and after failures a pause that grows from a short one."""

from __future__ import annotations

import random
from dataclasses import dataclass

FIRST_RETRY = 10.0
"""Seconds after the first failure."""


@dataclass(frozen=True)
class Interval:
    """seconds: from the end of a round to the next · jitter: the share of it that chance adds or takes."""

    seconds: float = 300.0
    jitter: float = 0.1

    def wait(self, failures: int, chance: random.Random) -> float:
        """Seconds until the next round. failures: how many rounds in a row have failed, with this one

        Controllers of many stacks that began together, or that one outage stopped together, spread out by the jitter.
        After a failure the next look is soon, then later and later, and never later than an interval.
        """
        seconds = self.seconds
        if failures:
            # Beyond that the power is large anyhow.
            seconds = min(self.seconds, FIRST_RETRY * 2.0 ** min(failures - 1, 32))
        return seconds * (1 + chance.uniform(-self.jitter, self.jitter))
