"""The key-encryption keys at work: a follower that notices a new epoch, seals everything anew under it and says so.

It runs in every process of issuance. Several do no harm: batches pass over each other's rows, and each fact is decided
on its stream. After `kill -9` the next tick goes on where the last batch ended.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import structlog
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from issuance import epochs
from issuance.clock import now
from issuance.epochs import STREAM, Known, Policy, RingStatus
from ledger import errors, ids
from ledger.codec import Actor, Fact, Recorded
from ledger.events import LEDGER_TENANT
from ledger.settings import Settings
from ledger.store import Decision, Store, Wish
from ledger.store.away import DATABASE_AWAY
from ledger.vault.rewrapping import Rewrapping, Ring

TICK_SECONDS = 2.0
AWAY: tuple[type[Exception], ...] = (errors.Unavailable, *DATABASE_AWAY)

log = structlog.get_logger()


class KeyEncryption:
    """Watches over the rings of one process."""

    def __init__(self, store: Store, settings: Settings, rings: Sequence[Ring]) -> None:
        self._store, self._secret = store, settings.server_secret
        self._rings = {ring.name: Rewrapping(store.pool, ring) for ring in rings}
        self.policy = Policy(settings.kek_rotation_days, settings.backup_retention_days)
        self._woken = asyncio.Event()
        self._begun: dict[str, tuple[int, datetime]] = {}
        self._finished: dict[str, tuple[int, Mapping[str, int]]] = {}
        self._warned: dict[str, int] = {}
        self.figures: dict[str, tuple[int, bool, bool]] = {}  # ring → epoch, something left, rotation overdue

    async def run(self) -> None:
        """For ever: look every two seconds, and at once when asked."""
        while True:
            self._woken.clear()
            try:
                await self.tick()
            except AWAY as error:
                log.warning("re-wrapping interrupted", error=type(error).__name__)
            except errors.Refused as error:
                log.error("key-encryption key refused", reason=error.detail)
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await self._woken.wait()

    def wake(self) -> None:
        """Look now."""
        self._woken.set()

    async def tick(self) -> None:
        """Take over a new keyring, and bring every ring under its current epoch. Raises Refused for a wrong key."""
        for name, rewrapping in self._rings.items():
            keyring = rewrapping.ring.keyring
            keyring.refresh()
            epoch = keyring.epoch
            if name not in self._begun or self._begun[name][0] != epoch:
                await self._begin(name, epoch, keyring.check(epoch))
            left = await rewrapping.is_needed()
            self._look(name, epoch, left=left)
            while left and await rewrapping.is_needed():
                await rewrapping.batch()
                await asyncio.sleep(0)  # requests go first
            await self._finish(name, epoch, await rewrapping.rewrapped(epoch))
            self._look(name, epoch, left=False)

    async def known(self) -> list[Known]:
        """What this process knows of each ring; counts every sealed key."""
        found = []
        for name, rewrapping in self._rings.items():
            keyring = rewrapping.ring.keyring
            keyring.refresh()
            found.append(Known(name, keyring.epoch, keyring.epochs, await rewrapping.sealed()))
        return found

    async def status(self) -> list[RingStatus]:
        """Each ring as an operator sees it now."""
        history, at = await self._store.load(STREAM), now()
        return [epochs.status_of(known, history, policy=self.policy, at=at) for known in await self.known()]

    async def order(self, wish: Wish) -> Decision:
        """Record an operator's order to re-wrap, and look at once."""
        at = now()
        for rewrapping in self._rings.values():
            rewrapping.ring.keyring.refresh()
        current = {name: rewrapping.ring.keyring.epoch for name, rewrapping in self._rings.items()}
        decision = await self._store.decide(STREAM, lambda history: epochs.order(current, history, at=at), wish=wish)
        self.wake()
        return decision

    async def destroy(self, wish: Wish, ring: str, epoch: int) -> Decision:
        """Record that an epoch's key is destroyed. Raises NotFound, or Refused while it is needed."""
        at, known = now(), {known.ring: known for known in await self.known()}
        if ring not in known:
            raise errors.NotFound("There are two rings: data and signing.")
        return await self._store.decide(
            STREAM,
            lambda history: epochs.destroy(known[ring], epoch, history, policy=self.policy, at=at),
            wish=wish,
        )

    async def _begin(self, name: str, epoch: int, check: str) -> None:
        at = now()
        cause = f"begin/{name}/{epoch}/{check}"
        await self._record(cause, lambda history: epochs.begin(name, epoch, check, history, at=at))
        known = epochs.epochs_of(await self._store.load(STREAM), name)[epoch]
        self._begun[name] = (epoch, known.begun)

    async def _finish(self, name: str, epoch: int, counts: Mapping[str, int]) -> None:
        if self._finished.get(name) == (epoch, counts):
            return
        at, cause = now(), f"finish/{name}/{epoch}/{sum(counts.values())}"
        decision = await self._record(cause, lambda history: epochs.finish(name, epoch, counts, history, at=at))
        if decision.events and not decision.replayed:
            log.info("re-wrapped", ring=name, epoch=epoch, keys=sum(counts.values()))
        self._finished[name] = (epoch, counts)

    async def _record(self, cause: str, rule: Callable[[Sequence[Recorded]], list[Fact]]) -> Decision:
        wish = Wish(
            tenant=LEDGER_TENANT,
            command=ids.caused_command(self._secret, "kek", cause),
            actor=Actor(key="issuance", role="service"),
        )
        return await self._store.decide(STREAM, rule, wish=wish)

    def _look(self, name: str, epoch: int, *, left: bool) -> None:
        """Keep the figures, and say once an epoch that its rotation is overdue."""
        overdue = self._begun[name][1] + timedelta(days=self.policy.rotation_days) <= now()
        self.figures[name] = (epoch, left, overdue)
        if overdue and self._warned.get(name) != epoch:
            self._warned[name] = epoch
            log.warning("rotation of a key-encryption key is overdue", ring=name, epoch=epoch)


class KeyFigures(Collector):
    """Prometheus figures of the rings: which epoch seals, whether a rotation is overdue or under way."""

    def __init__(self, rings: Callable[[], Mapping[str, tuple[int, bool, bool]]]) -> None:
        self._rings = rings

    def collect(self) -> Iterator[Metric]:
        """Nothing while the parts are not open."""
        try:
            rings = self._rings()
        except errors.Unavailable:
            return
        for place, (name, text) in enumerate(
            (
                ("kek_epoch", "The epoch of the key-encryption key that seals."),
                ("kek_rewrap_running", "Whether keys still lie under an older epoch."),
                ("kek_rotation_overdue", "Whether the epoch that seals is older than the rotation interval."),
            )
        ):
            gauge = GaugeMetricFamily(name, text, labels=["ring"])
            for ring, figures in rings.items():
                gauge.add_metric([ring], figures[place])
            yield gauge
