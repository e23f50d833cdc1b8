"""What a measurement yields: a figure with its rounds and its target, pure."""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure: the median of its rounds, what it aims at, and what it stands beside.

    `at_least` and `at_most` are the target where there is one; `beside` are other figures of the same run.
    """

    name: str
    unit: str
    rounds: Sequence[float]
    how: str
    at_least: float | None = None
    at_most: float | None = None
    beside: Mapping[str, Any] = {}

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)

    @property
    def value(self) -> float:
        """The median as it is printed."""
        return rounded(self.median)

    @property
    def target(self) -> str | None:
        """The target in words, or None."""
        if self.at_least is not None:
            return f"≥ {self.at_least:g}"
        return f"≤ {self.at_most:g}" if self.at_most is not None else None

    @property
    def met(self) -> bool | None:
        """Whether the median, before rounding, keeps the target; None where there is none."""
        if self.at_least is not None:
            return self.median >= self.at_least
        return self.median <= self.at_most if self.at_most is not None else None

    def against(self) -> dict[str, Any]:
        """What the value is to be judged by."""
        return {
            "target": self.target,
            "met": self.met,
            "rounds": len(self.rounds),
            "median": self.value,
            "min": rounded(min(self.rounds)),
            "max": rounded(max(self.rounds)),
            **self.beside,
        }


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One round of work that was repeated: how long each piece took, and all of it together."""

    seconds: Sequence[float]
    took_seconds: float

    @property
    def per_second(self) -> float:
        return len(self.seconds) / self.took_seconds

    def milliseconds(self, percent: float) -> float:
        """A percentile of the pieces, in milliseconds."""
        return percentile(self.seconds, percent) * 1000


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` of all values do not exceed (nearest rank). Raises ValueError for none."""
    if not values:
        raise ValueError("nothing was measured")
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def median_of(values: Sequence[float]) -> float:
    """The median as it is printed."""
    return rounded(statistics.median(values))


def rounded(value: float) -> float:
    """Three significant digits: more would claim what a shared machine cannot repeat."""
    return float(f"{value:.3g}") if abs(value) < 1000 else float(round(value))
