"""Prometheus figures of the notices."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from ledger.errors import Unavailable
from ledger.lifetime import Lifetime

if TYPE_CHECKING:
    from issuance.parts import Issuance


class NoticeFigures(Collector):
    """What this process sent, and how much waits; nothing while its parts are not open."""

    def __init__(self, lifetime: "Lifetime[Issuance]") -> None:
        self._lifetime = lifetime

    def collect(self) -> Iterator[Metric]:
        """Notices by what came of them (`again`: to be tried again), those due and those that came too late."""
        try:
            sending = self._lifetime.parts.sending
        except Unavailable:
            return
        outcomes = CounterMetricFamily("notices", "Notices by what came of them.", labels=["outcome"])
        for outcome, count in sorted(sending.outcomes.items()):
            outcomes.add_metric([outcome], count)
        yield outcomes
        yield GaugeMetricFamily("notices_due", "Notices that are to be sent now.", value=sending.waiting)
        yield GaugeMetricFamily(
            "notices_late", "Notices that were due for three days and stay unsent.", value=sending.late
        )
