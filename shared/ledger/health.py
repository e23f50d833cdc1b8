"""Whether a service can serve, asked afresh each time, and the figures that all services have.

The bus may be away: everything works without it (projections follow the store, the relay catches up), so its absence
is reported and no more. What makes a service unready: its parts are not open, the database does not answer, its tables
are far behind, or its relay halted because two histories differ.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from ledger.bus import Bus
from ledger.errors import Unavailable
from ledger.lifetime import Lifetime
from ledger.projector import Projector
from ledger.proofs import rdfc
from ledger.relay import Relay
from ledger.store import Store
from ledger.web.health import Check, Noted

LAG_EVENTS = 10_000


class Parts(Protocol):
    """What every service has open."""

    @property
    def store(self) -> Store: ...

    @property
    def bus(self) -> Bus: ...

    @property
    def projectors(self) -> Sequence[Projector]: ...


def relay_of(parts: Any) -> Relay | None:
    """The relay, in the service that runs it."""
    relay: Relay | None = getattr(parts, "relay", None)
    return relay


def checks(lifetime: Lifetime[Any], *, relays: bool = False) -> dict[str, Check]:
    """The checks of `/readyz`; `relays` for the service that publishes the log."""

    async def database() -> str | None:
        await lifetime.parts.store.head()
        return None

    async def projections() -> str | None:
        parts: Parts = lifetime.parts
        head = await parts.store.head()
        behind = max(head - projector.position for projector in parts.projectors)
        return f"the tables are {behind} events behind" if behind > LAG_EVENTS else None

    async def bus() -> str | None:
        return None if lifetime.parts.bus.connected else Noted("away; everything goes on without it")

    async def relay() -> str | None:
        running = relay_of(lifetime.parts)
        return f"halted: {running.halted}" if running is not None and running.halted else None

    common: dict[str, Check] = {"parts": lifetime.check, "database": database, "projections": projections, "bus": bus}
    return {**common, "relay": relay} if relays else common


class Figures(Collector):
    """The service's own Prometheus figures; nothing while its parts are not open."""

    def __init__(self, lifetime: Lifetime[Any]) -> None:
        self._lifetime = lifetime

    def collect(self) -> Iterator[Metric]:
        """Position of each projection, whether the bus is there, how far the relay is behind, and how documents were
        canonicalised in this process."""
        try:
            parts: Parts = self._lifetime.parts
        except Unavailable:
            return
        positions = GaugeMetricFamily(
            "projection_position", "Position of the last event in the tables.", labels=["projection"]
        )
        for projector in parts.projectors:
            positions.add_metric([projector.name], projector.position)
        yield positions
        yield GaugeMetricFamily("bus_connected", "Whether NATS answers.", value=parts.bus.connected)
        plans = CounterMetricFamily(
            "canonicalisation_plans", "What became of plans and of documents without one.", labels=["event"]
        )
        for what, number in rdfc.PLANS.counts.items():
            plans.add_metric([what], number)
        yield plans
        if (relay := relay_of(parts)) is not None:
            yield GaugeMetricFamily("relay_lag_events", "Events of the log that the stream lacks.", value=relay.lag)
            yield GaugeMetricFamily("relay_halted", "Whether two histories differ.", value=relay.halted is not None)
            resyncs = GaugeMetricFamily(
                "relay_resyncs", "Looks at the stream after something went wrong.", labels=["reason"]
            )
            for reason, count in relay.resyncs.items():
                resyncs.add_metric([reason], count)
            yield resyncs
