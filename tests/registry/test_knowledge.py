"""What a verification may know, from the registry's own tables, the vault, and revocation over the bus."""

import asyncio
from collections.abc import AsyncIterator
from importlib import resources

import msgspec
import pytest
from tests.conftest import Database
from tests.registry.world import (
    AWARD,
    CAPABILITY,
    KEY_ED,
    NOVA,
    PUBLIC,
    REVOKED_CAPABILITY,
    WITHDRAWN,
    World,
    credential,
    did,
    settings,
)
from tests.servers import NatsServer

from ledger.bus import Bus
from ledger.errors import NotFound
from ledger.projector import Projector, rebuild
from ledger.store import Store
from ledger.vault import Documents
from registry.achievements import Achievements
from registry.awards import Awards
from registry.issuers import Issuers
from registry.knowledge import RegistryKnowledge
from registry.parts import Reads
from registry.projections import RegistryProjection

LIST = "sl_" + "s" * 26


class Clock:
    """A clock that stands until it is moved."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
async def reads(world: World, database: Database) -> AsyncIterator[Reads]:
    """What the registry has read of the whole story."""
    await world.tell()
    store = await Store.open(database.registry)
    await store.pool.execute(resources.files("registry").joinpath("tables.sql").read_text())
    await rebuild([RegistryProjection()], store)
    projector = Projector(RegistryProjection(), store)
    following = asyncio.create_task(projector.run())
    yield Reads(
        store=store,
        issuers=Issuers(store.pool),
        achievements=Achievements(store.pool, PUBLIC),
        awards=Awards(store.pool),
        documents=Documents(store.pool),
        projectors=(projector,),
    )
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await store.close()


async def test_institutions_keys_records_and_standings_carry_positions(reads: Reads, database: Database) -> None:
    bus = await Bus.connect(settings(database), "registry")
    knowledge = RegistryKnowledge(reads, bus)

    nova = await knowledge.institution_by_did(did("nova"))
    record = await knowledge.recorded(CAPABILITY, credential())
    good, revoked = await knowledge.standing(AWARD), await knowledge.standing(WITHDRAWN)

    assert nova is not None
    assert (nova.id, nova.keys[0].id, nova.keys[0].added_position) == (NOVA, f"{did('nova')}#{KEY_ED}", 2)
    assert (await knowledge.institution_named("NOVA")) == nova
    assert record is not None
    assert (record.award_id, record.position) == (AWARD, 5)
    assert await knowledge.recorded(CAPABILITY, credential(name="Eve")) is None
    assert await knowledge.recorded(REVOKED_CAPABILITY, credential()) is None
    assert good is not None
    assert revoked is not None
    assert (good.state, good.position, revoked.state, revoked.position) == ("good", None, "revoked", 7)
    assert await knowledge.standing("awd_unknown") is None
    assert await knowledge.own_status_list(LIST) is None  # nobody can be asked
    await bus.close()


async def test_a_status_list_is_asked_for_once_a_second(
    reads: Reads, database: Database, nats_server: NatsServer
) -> None:
    asked: list[bytes] = []

    async def answer(payload: bytes) -> bytes:
        asked.append(payload)
        if msgspec.json.decode(payload) != {"list_id": LIST}:
            return msgspec.json.encode({"error": {"code": "not_found", "detail": "no"}})
        return msgspec.json.encode({"credential": {"id": len(asked)}})

    buses = [
        await Bus.connect(
            settings(database, nats_server.url, CREDLEDGER_NATS_CREDENTIALS_FILE=str(nats_server.credentials[role])),
            role,
        )
        for role in ("registry", "revocation")
    ]
    for bus in buses:
        assert await bus.until_connected(10)
    await buses[1].serve("cmd.revocation.list.v1", answer)
    await buses[1].client.flush()
    clock = Clock()
    knowledge = RegistryKnowledge(reads, buses[0], clock)

    first = await knowledge.own_status_list(LIST)
    clock.seconds = 0.99
    kept = await knowledge.own_status_list(LIST)
    clock.seconds = 1.0
    fresh = await knowledge.own_status_list(LIST)

    assert (first, kept, fresh, len(asked)) == ({"id": 1}, {"id": 1}, {"id": 2}, 2)
    with pytest.raises(NotFound):
        await knowledge.own_status_list("sl_unknown")
    for bus in buses:
        await bus.close()
