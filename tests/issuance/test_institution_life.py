"""What becomes of an institution: the rules of suspending, closing, renaming, merging and moving."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.issuance.histories import NOON, TENANT, placed
from tests.proofs.samples import ED25519, P256

from issuance import institution_life as life
from issuance import institutions
from issuance.institution_life import (
    CloseInstitution,
    MergeInstitution,
    MoveInstitution,
    RenameInstitution,
    SetPolicy,
    Turn,
)
from issuance.institutions import CreateInstitution, NewKey, existing
from ledger import errors
from ledger.codec import Fact, Recorded
from ledger.events import (
    InstitutionClosed,
    InstitutionDeactivated,
    InstitutionMerged,
    InstitutionMoved,
    InstitutionPolicySet,
    InstitutionReactivated,
    InstitutionRenamed,
)

HEIR, OTHER = "inst_" + "b" * 26, "inst_" + "c" * 26
DID, NEW_DID = "did:web:ledger.example:issuers:nova", "did:web:badges.nova.example"
WHY: dict[str, Any] = {"reason_code": "board_decision", "authority": "Ministry of Education"}
KEYS = (NewKey("key_ed", "Ed25519", ED25519.public_key), NewKey("key_p2", "P-256", P256.public_key))


def created(tenant: str = TENANT) -> list[Recorded]:
    wish = CreateInstitution(slug="nova", name="Nova University", url="https://nova.example")
    return placed(f"institution/{tenant}", institutions.create(wish, [], did=DID, keys=KEYS, at=NOON), tenant=tenant)


def after(history: list[Recorded], *facts: Fact, tenant: str = TENANT) -> list[Recorded]:
    return placed(f"institution/{tenant}", facts, history, tenant=tenant)


def closed(tenant: str = TENANT, successor: str | None = None) -> list[Recorded]:
    event = InstitutionClosed(**WHY, successor=successor)
    return after(created(tenant), Fact(event=event, at=NOON), tenant=tenant)


def moved(did: str = NEW_DID, *, document: Any = None, history: list[Recorded] | None = None) -> list[Fact]:
    before = created() if history is None else history
    placed_there = life.document_for(existing(before), did) if document is None else document
    wish = MoveInstitution(**WHY, did=did)
    return life.move(wish, before, document=placed_there, own_host="ledger.example", at=NOON)


def test_a_suspended_institution_is_not_written_until_it_is_reinstated() -> None:
    history = after(created(), *life.suspend(Turn(**WHY), created(), at=NOON))

    with pytest.raises(errors.Refused, match="is suspended"):
        institutions.active_institution(history)
    assert life.suspend(Turn(**WHY), history, at=NOON) == []

    history = after(history, *life.reinstate(Turn(**WHY), history, at=NOON))
    assert (existing(history).state, life.reinstate(Turn(**WHY), history, at=NOON)) == ("active", [])


def test_the_first_words_for_suspending_and_reinstating_mean_the_same() -> None:
    off = after(created(), Fact(event=InstitutionDeactivated(reason_code="unpaid"), at=NOON))
    on = after(off, Fact(event=InstitutionReactivated(reason_code="paid"), at=NOON))

    assert [existing(history).state for history in (off, on)] == ["suspended", "active"]
    assert life.suspend(Turn(**WHY), off, at=NOON) == []


CHANGES: list[Callable[[list[Recorded]], list[Fact]]] = [
    lambda history: life.suspend(Turn(**WHY), history, at=NOON),
    lambda history: life.reinstate(Turn(**WHY), history, at=NOON),
    lambda history: life.rename(RenameInstitution(**WHY, name="Other"), history, at=NOON),
    lambda history: life.merge(MergeInstitution(**WHY, into=OTHER), history, created(OTHER), at=NOON),
    lambda history: moved(history=history),
    lambda history: life.close(CloseInstitution(**WHY, successor=OTHER), history, created(OTHER), at=NOON),
]


@pytest.mark.parametrize("change", CHANGES)
def test_closing_is_final(change: Callable[[list[Recorded]], list[Fact]]) -> None:
    with pytest.raises(errors.Refused, match="closed"):
        change(closed(successor=HEIR))


def test_a_closed_institution_names_its_successor_at_once_or_later_and_then_for_good() -> None:
    at_once = life.close(CloseInstitution(**WHY, successor=HEIR), created(), created(HEIR), at=NOON)
    later = life.close(CloseInstitution(**WHY, successor=HEIR), closed(), created(HEIR), at=NOON)

    assert at_once == later == [Fact(event=InstitutionClosed(**WHY, successor=HEIR), at=NOON)]
    history = after(closed(), *later)
    assert (existing(history).state, existing(history).successor) == ("closed", HEIR)
    assert life.close(CloseInstitution(**WHY), history, at=NOON) == []
    assert life.close(CloseInstitution(**WHY), closed(), at=NOON) == []


@pytest.mark.parametrize(
    ("wanted", "history", "said"),
    [(TENANT, created(), "follow itself"), (HEIR, [], "no such"), (HEIR, closed(HEIR), "closed itself")],
)
def test_a_successor_is_another_institution_that_is_not_closed(wanted: str, history: list[Recorded], said: str) -> None:
    with pytest.raises(errors.Refused) as of_closing:
        life.close(CloseInstitution(**WHY, successor=wanted), created(), history, at=NOON)
    with pytest.raises(errors.Refused) as of_merging:
        life.merge(MergeInstitution(**WHY, into=wanted), created(), history, at=NOON)

    found = [(raised.value.errors[0].pointer, said in raised.value.errors[0].detail)
             for raised in (of_closing, of_merging)]  # fmt: skip
    assert found == [("/successor", True), ("/into", True)]


def test_a_merged_institution_is_closed_and_followed_by_the_one_it_went_into() -> None:
    wish = MergeInstitution(**WHY, into=HEIR)
    facts = life.merge(wish, created(), created(HEIR), at=NOON)
    state = existing(after(created(), *facts))

    assert facts == [Fact(event=InstitutionMerged(**WHY, into=HEIR), at=NOON)]
    assert (state.state, state.active, state.successor) == ("closed", False, HEIR)
    assert life.merge(wish, after(created(), *facts), created(HEIR), at=NOON) == []


def test_a_renamed_institution_remembers_its_names_and_an_earlier_version_keeps_the_old_one() -> None:
    history = created()
    facts = life.rename(RenameInstitution(**WHY, name="Nova Tech"), history, at=NOON)
    history = after(history, *facts)
    before, now = institutions.institution_of(history, 3), existing(history)

    assert facts[0].event == InstitutionRenamed(**WHY, name="Nova Tech", previous_name="Nova University")
    assert before is not None
    assert (before.name, now.name, now.former_names) == ("Nova University", "Nova Tech", ("Nova University",))
    assert life.rename(RenameInstitution(**WHY, name="Nova Tech"), history, at=NOON) == []


def test_a_move_changes_the_did_from_then_on_and_remembers_the_former_one() -> None:
    history = after(created(), *moved())
    before, now = institutions.institution_of(history, 3), existing(history)

    assert moved()[0].event == InstitutionMoved(**WHY, did=NEW_DID, previous_did=DID)
    assert before is not None
    assert (before.did, now.did, now.former_dids) == (DID, NEW_DID, (DID,))
    assert life.document_for(now, NEW_DID)["alsoKnownAs"] == ["https://nova.example", DID]
    assert moved(history=history) == []


def test_an_institution_can_move_back_to_the_registrys_own_address() -> None:
    there = after(created(), *moved())

    back = existing(after(there, *moved(DID, history=there)))

    assert (back.did, back.former_dids) == (DID, (NEW_DID,))


def _without_a_key(document: Any) -> None:
    document["assertionMethod"] = document["assertionMethod"][:1]


def _with_anothers_key(document: Any) -> None:
    method = {**document["verificationMethod"][0], "id": f"{NEW_DID}#key_x"}
    document["verificationMethod"].append(method)
    document["assertionMethod"].append(method["id"])


def _with_another_key_under_the_name(document: Any) -> None:
    document["verificationMethod"][0]["publicKeyMultibase"] = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda d: d.update(id=DID), "another DID"),
        (lambda d: d.pop("verificationMethod"), "cannot be read"),
        (_without_a_key, "current keys"),
        (_with_another_key_under_the_name, "current keys"),
        (_with_anothers_key, "not the institution's"),
    ],
)
def test_a_document_that_does_not_list_just_the_institutions_keys_moves_nothing(spoil: Any, said: str) -> None:
    document = life.document_for(existing(created()), NEW_DID)
    spoil(document)

    with pytest.raises(errors.Refused) as raised:
        moved(document=document)

    assert [(e.pointer, said in e.detail) for e in raised.value.errors] == [("/did", True)]


@pytest.mark.parametrize(
    "did", ["did:web:ledger.example", "did:web:LEDGER.example:issuers:other", "did:web:127.0.0.1", "did:web:a:..:b"]
)
def test_an_institution_moves_to_a_host_of_its_own(did: str) -> None:
    with pytest.raises(errors.Refused, match="cannot move"):
        life.check_did(did, own_host="ledger.example", institution=existing(created()))


def test_what_takes_a_second_key_is_set_whole() -> None:
    facts = life.set_policy(SetPolicy(["revocations", "awards", "awards"]), created(), at=NOON)
    history = after(created(), *facts)

    assert facts == [Fact(event=InstitutionPolicySet(four_eyes=["awards", "revocations"]), at=NOON)]
    assert existing(history).four_eyes == ("awards", "revocations")
    assert life.set_policy(SetPolicy(["awards", "revocations"]), history, at=NOON) == []
    assert existing(after(history, *life.set_policy(SetPolicy([]), history, at=NOON))).four_eyes == ()


@given(st.lists(st.sampled_from(["suspend", "reinstate", "close", "heir"]), max_size=10))
def test_whatever_happens_the_state_is_that_of_a_plain_machine(steps: list[str]) -> None:
    history, state, heir = created(), "active", None
    for step in steps:
        rule = {
            "suspend": lambda: life.suspend(Turn(**WHY), history, at=NOON),  # noqa: B023 - called at once
            "reinstate": lambda: life.reinstate(Turn(**WHY), history, at=NOON),  # noqa: B023
            "close": lambda: life.close(CloseInstitution(**WHY), history, at=NOON),  # noqa: B023
            "heir": lambda: life.close(CloseInstitution(**WHY, successor=HEIR), history, created(HEIR), at=NOON),  # noqa: B023
        }[step]
        try:
            history = after(history, *rule())
        except errors.Refused:
            assert state == "closed"
            continue
        heir = HEIR if step == "heir" else heir
        state = "closed" if step in ("close", "heir") else "suspended" if step == "suspend" else "active"

    assert (existing(history).state, existing(history).successor) == (state, heir)
