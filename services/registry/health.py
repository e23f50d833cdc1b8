"""Whether the registry can serve, asked afresh each time: the database, how far its tables are behind, the bus.

The bus may be away: reads work without it and projections follow the store, so its absence is reported and no more.
"""

from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ledger.errors import Unavailable
from ledger.lifetime import Lifetime
from ledger.web.health import Check, Noted
from registry.parts import Registry

LAG_EVENTS = 10_000


def checks(lifetime: Lifetime[Registry]) -> dict[str, Check]:
    """The checks of `/readyz`."""

    async def database() -> str | None:
        await lifetime.parts.store.head()
        return None

    async def projections() -> str | None:
        parts = lifetime.parts
        head = await parts.store.head()
        behind = max(head - projector.position for projector in parts.projectors)
        return f"the tables are {behind} events behind" if behind > LAG_EVENTS else None

    async def bus() -> str | None:
        return None if lifetime.parts.bus.connected else Noted("away; reads and verifications work without it")

    return {"parts": lifetime.check, "database": database, "projections": projections, "bus": bus}


class Figures(Collector):
    """The registry's own Prometheus figures."""

    def __init__(self, lifetime: Lifetime[Registry]) -> None:
        self._lifetime = lifetime

    def collect(self) -> Iterator[Metric]:
        """Position of each projection, and whether the bus is there; nothing while the parts are not open."""
        positions = GaugeMetricFamily(
            "projection_position", "Position of the last event in the tables.", labels=["projection"]
        )
        bus = GaugeMetricFamily("bus_connected", "Whether NATS answers.")
        try:
            parts = self._lifetime.parts
        except Unavailable:
            return
        for projector in parts.projectors:
            positions.add_metric([projector.name], projector.position)
        bus.add_metric([], parts.bus.connected)
        yield positions
        yield bus
