"""Corrections as revocation sees them: the old document's bit is set for ever, only the newest document's bits move."""

from typing import Any

import httpx
import msgspec
import pytest
from tests.revocation.histories import AWARD, LEARNER, NOON, TENANT, award_fact, institution_history, placed
from tests.revocation.reader import bit, fetched
from tests.revocation.test_lists import change
from tests.revocation.world import KEK, STATUS_URL, World, bearer, eventually

from ledger import errors
from ledger.codec import Fact, Recorded, format_time
from ledger.events import AwardCorrected, Awarded, StatusEntry
from ledger.keyring import Keyring
from ledger.projector import rebuild
from revocation.app import projections_for
from revocation.standings import ChangeStanding, award_of, entries_of, rule_for

NEW = (StatusEntry("sl_" + "r" * 26, "revocation", 18), StatusEntry("sl_" + "s" * 26, "suspension", 24))


def correction(old: Recorded | Fact, status: Any = NEW) -> Fact:
    """A correction of the document that an event issued, with these places."""
    event = old.event
    assert isinstance(event, Awarded | AwardCorrected)
    facts = {name: value for name, value in msgspec.structs.asdict(event).items() if name not in OWN}
    corrected = AwardCorrected(
        **{**facts, "status": list(status), "superseded": event.status, "reason_code": "name_error"}
    )
    return Fact(event=corrected, at=NOON, subject=LEARNER)


OWN = {"renews", "approval", "notify_after", "reason_code", "superseded"}


def history() -> list[Recorded]:
    first = placed(f"award/{AWARD}", [award_fact()])
    return placed(f"award/{AWARD}", [correction(first[0])], first)


def test_a_change_of_standing_moves_the_newest_documents_entries_alone() -> None:
    for kind, places in (("suspend", NEW[1:]), ("revoke", NEW[:1])):
        rule = rule_for(kind, ChangeStanding("other"), tenant=TENANT, at=NOON)  # type: ignore[arg-type]
        (fact,) = rule([], history(), institution_history())
        assert fact.event.entries == list(places)  # type: ignore[attr-defined]


def test_the_award_is_by_its_newest_document_or_by_that_of_an_earlier_moment() -> None:
    first, second = history()

    assert award_of(history(), TENANT) == second
    assert award_of(history(), TENANT, before=second.position) == first
    assert entries_of(second) == list(NEW)
    with pytest.raises(errors.NotFound):
        award_of(history(), "inst_" + "z" * 26)


def test_a_change_may_hold_since_before_the_correction_but_not_since_before_the_award() -> None:
    late = placed(f"award/{AWARD}", [award_fact()])
    moved = msgspec.structs.replace(
        correction(late[0]).event, issued="2027-01-01T00:00:00Z", valid_from="2027-01-01T00:00:00Z"
    )
    whole = placed(f"award/{AWARD}", [Fact(event=moved, at=NOON, subject=LEARNER)], late)
    wish = ChangeStanding("other", effective=NOON)

    (fact,) = rule_for("revoke", wish, tenant=TENANT, at=NOON)([], whole, institution_history())

    assert fact.event.effective == format_time(NOON)  # type: ignore[attr-defined]


async def test_a_correction_sets_the_old_bit_within_a_second_and_nothing_clears_it(
    world: World, client: httpx.AsyncClient
) -> None:
    institution = await world.institution(profile="full")
    old, new = await world.places(institution, 2)
    award_id = "awd_" + "q" * 26
    await world.award(institution, award_id, old)
    (first,) = await world.issuance.load(f"award/{award_id}")

    await world.append_facts(f"award/{award_id}", institution.id, [correction(first, new)])

    async def bits() -> list[bool]:
        return [bit(await fetched(client, entry.list_id), entry.index) for entry in (*by(old), *by(new))]

    def by(entries: list[StatusEntry]) -> list[StatusEntry]:
        return sorted(entries, key=lambda entry: entry.purpose)

    async def replaced() -> bool:
        return await bits() == [True, False, False, False]

    await eventually(replaced, 1.0, "the old revocation entry is set")
    told = await client.get(f"/v1/awards/{award_id}/standing", headers=bearer(institution))
    assert told.json()["history"] == []
    for kind, seen in (
        ("suspension", [True, False, False, True]),
        ("reinstatement", [True, False, False, False]),
        ("revocation", [True, False, True, False]),
    ):
        await change(client, institution, award_id, kind)
        assert await bits() == seen
    assert await world.events(institution, "award.corrected")


async def test_a_retry_is_answered_by_the_document_of_its_moment(world: World, client: httpx.AsyncClient) -> None:
    institution = await world.institution()
    ((award_id, _),) = (await world.awards(institution, 1)).items()
    headers, body = bearer(institution, "once"), {"reason_code": "under_review"}
    first = await client.post(f"/v1/awards/{award_id}/suspension", json=body, headers=headers)
    await change(client, institution, award_id, "reinstatement")
    (recorded,) = await world.issuance.load(f"award/{award_id}")
    elsewhere = [StatusEntry("sl_" + "z" * 26, "revocation", 1)]
    await world.append_facts(f"award/{award_id}", institution.id, [correction(recorded, elsewhere)])

    again = await client.post(f"/v1/awards/{award_id}/suspension", json=body, headers=headers)
    now = await client.get(f"/v1/awards/{award_id}/standing", headers=bearer(institution))

    assert again.content == first.content
    assert now.json()["published"]["lists"][0]["url"] == f"{STATUS_URL}/status-lists/{elsewhere[0].list_id}"


async def test_a_rebuild_leaves_the_same_tables(world: World, client: httpx.AsyncClient) -> None:
    institution = await world.institution()
    old, new = await world.places(institution, 2)
    await world.award(institution, AWARD, old)
    (first,) = await world.issuance.load(f"award/{AWARD}")
    await world.append_facts(f"award/{AWARD}", institution.id, [correction(first, new)])
    assert bit(await fetched(client, old[0].list_id), old[0].index)
    projections = projections_for(world.revocation, STATUS_URL, Keyring.single(KEK))

    once = await rebuild(projections, world.revocation)

    assert await rebuild(projections, world.revocation) == once
    assert bit(await fetched(client, old[0].list_id), old[0].index)
