"""What the log says stands in the registry's tables, whichever way it came, and again after a rebuild."""

import asyncio
import contextlib
from collections.abc import Iterator
from importlib import resources

import pytest
from tests import servers
from tests.conftest import Database
from tests.registry.world import (
    ACHIEVEMENT,
    AWARD,
    KEY_ED,
    NOON,
    NOVA,
    OAK,
    PUBLIC,
    SIGNER,
    World,
    did,
    published,
    revoked,
    settings,
    until,
)
from tests.servers import NatsServer

from ledger.bus import Bus, pull
from ledger.bus.headers import read_headers
from ledger.bus.stream import NAME
from ledger.codec import Headers, format_time, seen_from_public
from ledger.events import (
    AchievementWithdrawn,
    AwardReinstated,
    AwardSuspended,
    InstitutionDeactivated,
    InstitutionUpdated,
    IssuerKeyChanged,
    LearnerErased,
)
from ledger.projector import Projector, rebuild, table_hashes
from ledger.relay import Relay
from ledger.store import Store
from registry.achievements import Achievements, Wanted
from registry.awards import Awards
from registry.issuers import Issuers
from registry.projections import RegistryProjection

STANDING = {"award_id": AWARD, "reason_code": "under_review", "effective": format_time(NOON)}


async def projected(world: World, store: Store) -> Store:
    """The registry's tables, filled from the log."""
    await store.pool.execute(resources.files("registry").joinpath("tables.sql").read_text())
    await rebuild([RegistryProjection()], store)
    return store


async def test_an_issuer_shows_its_latest_profile_and_every_change_of_its_keys(
    world: World, database: Database
) -> None:
    made = await world.institution()
    await world.append(f"institution/{NOVA}", InstitutionUpdated(name="Nova  Üniversität", url="https://nova.example"))
    change = {"issuer": did("nova"), "key_id": KEY_ED, "algorithm": "Ed25519", "public_key": SIGNER.public_key}
    late = IssuerKeyChanged(change="compromised", effective="2026-02-01T00:00:00Z", **change)
    gone = await world.append(f"institution/{NOVA}", late, InstitutionDeactivated(reason_code="closed"))
    store = await Store.open(database.registry)
    await projected(world, store)

    issuer = await Issuers(store.pool).one("nova")

    assert issuer is not None
    assert (issuer.id, issuer.name, issuer.active, issuer.version) == (NOVA, "Nova  Üniversität", False, gone.version)
    compromised = issuer.keys[0].change("compromised")
    assert compromised is not None
    assert (format_time(compromised.effective), compromised.position) == ("2026-02-01T00:00:00Z", gone.position - 1)
    assert [key.active for key in issuer.keys] == [False, True]
    assert issuer.position == made.position - 2
    assert await Issuers(store.pool).one(did("nova")) == issuer
    assert await Issuers(store.pool).named("nova üniversität") is None  # it is not active any more
    await store.close()


async def test_a_name_is_found_however_it_is_spelt(world: World, database: Database) -> None:
    await world.institution(name="Nova  Universität")
    store = await Store.open(database.registry)
    await projected(world, store)

    found = await Issuers(store.pool).named(" NOVA universitÄt")

    assert found is not None
    assert found.id == NOVA
    await store.close()


async def test_an_achievement_is_listed_by_its_newest_version(world: World, database: Database) -> None:
    await world.institution()
    await world.achievement(1)
    await world.achievement(2, sector="healthcare")
    await world.append(f"achievement/{ACHIEVEMENT}", AchievementWithdrawn(achievement_version=1, reason_code="old"))
    store = await Store.open(database.registry)
    await projected(world, store)
    achievements = Achievements(store.pool, PUBLIC)

    first = await achievements.one(ACHIEVEMENT, 1)
    listed = await achievements.read_page(Wanted(text="CLOUD"), None, 10)

    assert first is not None
    assert first.document == published().document
    assert [(v.version, v.withdrawn) for v in first.versions] == [(2, None), (1, "old")]
    assert [(one.version, one.sector) for one in listed] == [(2, "healthcare")]
    assert await achievements.read_page(Wanted(sector="technology"), None, 10) == []
    assert await achievements.read_page(Wanted(text="100%"), None, 10) == []
    await store.close()


async def test_an_award_has_its_standing_and_its_whole_history(world: World, database: Database) -> None:
    await world.institution()
    await world.achievement()
    made = await world.award()
    stream = f"standing/{AWARD}"
    await world.append(stream, AwardSuspended(**STANDING))
    await world.append(stream, AwardReinstated(**STANDING))
    last = await world.append(stream, revoked())
    await world.append("learner/lrn_x", LearnerErased(reason_code="learner_request"))
    store = await Store.open(database.registry)
    await projected(world, store)

    award = await Awards(store.pool).one(AWARD)

    assert award is not None
    assert (award.standing, award.standing_position, award.leaf) == ("revoked", last.position, made.leaf)
    assert [(entry.position, entry.type, entry.reason_code) for entry in award.history] == [
        (made.position, "award.awarded", None),
        (made.position + 1, "award.suspended", "under_review"),
        (made.position + 2, "award.reinstated", "under_review"),
        (made.position + 3, "award.revoked", "issued_in_error"),
    ]
    await store.close()


@pytest.fixture
def own_nats() -> Iterator[NatsServer]:
    """A NATS server of its own: its stream holds one log."""
    with servers.nats() as server:
        yield server


async def test_tables_filled_over_nats_and_tables_rebuilt_from_the_store_are_equal(
    world: World, database: Database, own_nats: NatsServer
) -> None:
    await world.all()
    await world.institution(OAK, "oak", "Oak")
    await world.append(f"standing/{AWARD}", revoked())
    store = await projected(world, await Store.open(database.registry))
    async with store.pool.acquire() as connection:
        rebuilt = await table_hashes(connection, "registry")
        await connection.execute(EMPTY)

    published = await messages_of(world, database, own_nats)
    await Projector(RegistryProjection(), store).apply([seen_from_public(*one) for one in published])

    async with store.pool.acquire() as connection:
        assert await table_hashes(connection, "registry") == rebuilt
    await store.close()


async def messages_of(world: World, database: Database, nats: NatsServer) -> list[tuple[Headers, bytes]]:
    """The whole log as the relay published it."""
    file = str(nats.credentials["issuance"])
    configured = settings(database, nats.url, CREDLEDGER_NATS_CREDENTIALS_FILE=file)
    bus = await Bus.connect(configured, "issuance")
    relay = Relay(world.issuance, bus, configured)
    running = asyncio.create_task(relay.run())
    head = await world.issuance.head()

    async def published() -> bool:
        return relay.published == head

    await until(published, "the relay has published the log")
    found: list[tuple[Headers, bytes]] = []
    async with contextlib.aclosing(pull(bus, NAME, 0)) as batches:
        async for batch in batches:
            found += [(read_headers(one.headers), one.body) for one in batch]
            if len(found) == head:
                break
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    await bus.close()
    return found


EMPTY = """
TRUNCATE registry.institutions, registry.issuer_keys, registry.achievements, registry.awards, registry.award_history,
  registry.renewals, registry.tenant_events;
UPDATE registry.positions SET position = 0;
"""
