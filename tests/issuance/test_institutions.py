"""The rules of institutions and their signing keys."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.issuance.histories import NOON, TENANT, placed

from issuance import institution_life, institutions
from issuance.institution_life import Turn
from issuance.institutions import CreateInstitution, NewKey, UpdateInstitution
from ledger import errors
from ledger.codec import Recorded, format_time

DID = "did:web:localhost%3A8000:issuers:nova"
STREAM = f"institution/{TENANT}"
WISH = CreateInstitution(slug="nova", name="Nova University", url="https://nova.example", email="badges@nova.example")
WHY = Turn(reason_code="unpaid", authority="Board")
KEYS = (NewKey("key_ed", "Ed25519", "z6MkEd"), NewKey("key_p2", "P-256", "zDnP2"))


def created() -> list[Recorded]:
    return placed(STREAM, institutions.create(WISH, [], did=DID, keys=KEYS, at=NOON))


def with_facts(history: list[Recorded], facts: list[institutions.Fact]) -> list[Recorded]:
    return placed(STREAM, facts, history)


def test_a_new_institution_has_its_profile_and_one_active_key_of_each_algorithm() -> None:
    institution = institutions.active_institution(created())

    assert (institution.slug, institution.did, institution.name, institution.active) == ("nova", DID, WISH.name, True)
    assert institution.key("Ed25519").id == "key_ed"
    assert institution.key("P-256").id == "key_p2"


def test_a_slug_is_given_once() -> None:
    with pytest.raises(errors.Conflict, match="taken"):
        institutions.create(WISH, created(), did=DID, keys=KEYS, at=NOON)


def test_an_update_that_changes_nothing_is_no_fact() -> None:
    same = UpdateInstitution(name=WISH.name, url=WISH.url, email=WISH.email)

    assert institutions.update(same, created(), at=NOON) == []


def test_an_earlier_version_still_shows_the_profile_that_it_had() -> None:
    history = created()
    renamed = UpdateInstitution(name="Nova Tech", url=WISH.url)
    history = with_facts(history, institutions.update(renamed, history, at=NOON))

    before, after = institutions.institution_of(history, 3), institutions.institution_of(history)

    assert before is not None
    assert after is not None
    assert (before.name, before.version) == ("Nova University", 3)
    assert (after.name, after.email, after.version) == ("Nova Tech", None, 4)


def test_rotation_retires_the_old_keys_and_keeps_them_listed() -> None:
    history = created()
    new = (NewKey("key_ed2", "Ed25519", "z6MkNew"), NewKey("key_p22", "P-256", "zDnNew"))
    history = with_facts(history, institutions.rotate(history, new=new, at=NOON))

    institution = institutions.active_institution(history)

    assert [(k.id, k.is_active) for k in institution.keys] == [
        ("key_ed", False), ("key_p2", False), ("key_ed2", True), ("key_p22", True),
    ]  # fmt: skip
    assert institution.keys[0].retired == format_time(NOON)


def test_a_compromised_active_key_is_replaced_at_once() -> None:
    history = created()
    since = NOON - timedelta(days=2)
    new = NewKey("key_ed2", "Ed25519", "z6MkNew")
    history = with_facts(history, institutions.compromise("key_ed", history, since=since, new=new, at=NOON))

    institution = institutions.active_institution(history)

    assert institution.keys[0].compromised == format_time(since)
    assert institution.key("Ed25519").id == "key_ed2"


def test_a_compromise_of_a_foreign_key_or_in_the_future_is_refused() -> None:
    new = NewKey("key_ed2", "Ed25519", "z6MkNew")

    with pytest.raises(errors.NotFound):
        institutions.compromise("key_other", created(), since=NOON, new=new, at=NOON)
    with pytest.raises(errors.Refused, match="past"):
        institutions.compromise("key_ed", created(), since=NOON + timedelta(seconds=1), new=new, at=NOON)


@given(st.lists(st.sampled_from(["rotate", "compromise", "update", "suspend", "reinstate"]), max_size=12))
def test_whatever_happens_one_key_of_each_algorithm_is_active(steps: list[str]) -> None:
    history = created()
    for number, step in enumerate(steps):
        state = institutions.existing(history)
        new = [NewKey(f"key_{number}_{a}", a, f"z{number}") for a in institutions.ALGORITHMS]
        match step:
            case "rotate" if state.active:
                facts = institutions.rotate(history, new=new, at=NOON)
            case "compromise":
                facts = institutions.compromise(state.key("Ed25519").id, history, since=NOON, new=new[0], at=NOON)
            case "update" if state.active:
                wish = UpdateInstitution(name=f"n{number}", url="https://nova.example")
                facts = institutions.update(wish, history, at=NOON)
            case "suspend":
                facts = institution_life.suspend(WHY, history, at=NOON)
            case _:
                facts = institution_life.reinstate(WHY, history, at=NOON)
        history = with_facts(history, facts)

    state = institutions.existing(history)
    assert sorted(k.algorithm for k in state.keys if k.is_active) == ["Ed25519", "P-256"]
    assert state.version == len(history)
