"""Corrections and renewals as the registry shows them."""

from datetime import timedelta
from typing import Any

import msgspec
from tests.conftest import Database
from tests.registry.test_projections import STANDING, projected
from tests.registry.world import AWARD, NOON, World, awarded, revoked

from ledger.codec import format_time
from ledger.events import AwardCorrected, AwardSuspended, DocumentIssued
from ledger.projector import rebuild, table_hashes
from ledger.store import Store
from registry.awards import Awards
from registry.projections import RegistryProjection

LATER = NOON + timedelta(days=30)
RENEWING, AGAIN = "awd_" + "n" * 26, "awd_" + "m" * 26


def corrected(**varied: Any) -> AwardCorrected:
    """A correction of Nova's award, a month after it."""
    facts = {
        name: value
        for name, value in msgspec.structs.asdict(awarded()).items()
        if name not in ("renews", "approval", "notify_after")
    }
    moved = {"issued": format_time(LATER), "valid_from": format_time(LATER), "keys": ["key_new"]}
    return AwardCorrected(**{**facts, **moved, "reason_code": "name_error", "superseded": awarded().status, **varied})


def renewing(**varied: Any) -> DocumentIssued:
    return msgspec.structs.replace(awarded(), **varied)


async def test_a_correction_moves_dates_and_keys_and_nothing_else(world: World, database: Database) -> None:
    await world.institution()
    await world.achievement()
    made = await world.award()
    suspended = await world.append(f"standing/{AWARD}", AwardSuspended(**STANDING))
    last = await world.append(f"award/{AWARD}", corrected(valid_until=format_time(LATER + timedelta(days=1))))
    store = await projected(world, await Store.open(database.registry))

    award = await Awards(store.pool).one(AWARD)

    assert award is not None
    assert (award.issued, award.valid_from, award.valid_until) == (LATER, LATER, LATER + timedelta(days=1))
    assert (award.awarded_date, award.position, award.leaf) == (NOON, made.position, made.leaf)
    assert (award.standing, award.standing_position, award.keys) == ("suspended", suspended.position, ["key_new"])
    assert [(e.position, e.type, e.effective, e.reason_code, e.leaf) for e in award.history][-1] == (
        last.position, "award.corrected", LATER, "name_error", last.leaf
    )  # fmt: skip
    assert award.replacement(made.position) == award.history[-1]
    assert award.replacement(last.position) is None
    await store.close()


async def test_renewals_are_shown_from_both_sides(world: World, database: Database) -> None:
    await world.institution()
    await world.achievement()
    await world.append(f"award/{AWARD}", renewing(renew_by=format_time(LATER)))
    first = await world.append(f"award/{AGAIN}", renewing(renews=AWARD))
    await world.append(f"standing/{AGAIN}", revoked(AGAIN))
    second = await world.append(f"award/{RENEWING}", renewing(renews=AWARD, renew_by=format_time(LATER)))
    await world.append(f"award/{RENEWING}", corrected(renew_by=None))
    store = await projected(world, await Store.open(database.registry))
    awards = Awards(store.pool)

    old, new = await awards.one(AWARD), await awards.one(RENEWING)

    assert old is not None
    assert new is not None
    assert (old.renews, old.renew_by) == (None, LATER)
    assert (new.renews, new.renew_by) == (AWARD, None)
    assert [(by.id, by.position, by.standing) for by in old.renewed_by] == [
        (AGAIN, first.position, "revoked"), (RENEWING, second.position, "valid")
    ]  # fmt: skip
    await store.close()


async def test_a_rebuild_leaves_the_same_rows(world: World, database: Database) -> None:
    await world.all()
    await world.append(f"award/{AWARD}", corrected(renew_by=format_time(LATER)))
    await world.append(f"award/{RENEWING}", renewing(renews=AWARD))
    store = await projected(world, await Store.open(database.registry))
    async with store.pool.acquire() as connection:
        before = await table_hashes(connection, "registry")

    assert await rebuild([RegistryProjection()], store) == before
    await store.close()


async def test_a_correction_without_its_document_is_waited_for(world: World, database: Database) -> None:
    await world.all()
    store = await projected(world, await Store.open(database.registry))
    awards = Awards(store.pool)
    assert not await awards.unsigned_since(0)

    last = await world.append(f"award/{AWARD}", corrected())
    await projected(world, store)

    assert await awards.unsigned_since(0)
    assert not await awards.unsigned_since(last.position)
    await store.close()
