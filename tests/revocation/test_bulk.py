"""Previews of many changes: what they foresee is what the rule decides, and their tokens cannot be bent."""

import base64
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.revocation.histories import AWARD, NOON, OTHER, TENANT, award_history, institution_history, placed

from ledger import errors
from revocation import bulk
from revocation.bulk import Foreseen, PreviewChanges
from revocation.standings import ChangeStanding, rule_for

SECRET = b"s" * 32
LATER = NOON + timedelta(days=1)
STREAM = f"standing/{AWARD}"
WISH = PreviewChanges(award_ids=[AWARD], change="revoke", reason_code="superseded", reason="Für Zoë")
PREVIEW = bulk.preview_of(WISH, [Foreseen(AWARD, 0, "change")], tenant=TENANT, at=NOON)


def test_a_preview_foresees_a_change_nothing_a_refusal_and_an_unknown_award() -> None:
    revoke = rule_for("revoke", ChangeStanding(reason_code="other"), tenant=TENANT, at=LATER)
    suspend = rule_for("suspend", ChangeStanding(reason_code="other"), tenant=TENANT, at=LATER)
    award, institution = award_history(), institution_history()
    revoked = placed(STREAM, revoke([], award, institution))

    assert bulk.foresee(AWARD, revoke, [], award, institution) == Foreseen(AWARD, 0, "change")
    assert bulk.foresee(AWARD, revoke, revoked, award, institution) == Foreseen(AWARD, 1, "nothing")
    assert bulk.foresee(AWARD, suspend, revoked, award, institution).outlook == "refused"
    assert bulk.foresee(AWARD, revoke, [], [], institution).outlook == "unknown"


def test_a_token_gives_back_the_preview_that_it_was_made_of() -> None:
    assert bulk.read(SECRET, bulk.sign(SECRET, PREVIEW), tenant=TENANT, at=NOON) == PREVIEW


@given(st.integers(0), st.integers(1, 255))
def test_a_token_with_any_byte_changed_is_refused(place: int, change: int) -> None:
    token = bulk.sign(SECRET, PREVIEW)
    raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    raw[place % len(raw)] ^= change

    with pytest.raises(errors.Malformed):
        bulk.read(SECRET, base64.urlsafe_b64encode(raw).decode().rstrip("="), tenant=TENANT, at=NOON)


@given(st.text(max_size=80))
def test_a_token_that_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(errors.Malformed):
        bulk.read(SECRET, token, tenant=TENANT, at=NOON)


def test_another_institution_cannot_use_a_token() -> None:
    with pytest.raises(errors.Malformed):
        bulk.read(SECRET, bulk.sign(SECRET, PREVIEW), tenant=OTHER, at=NOON)


def test_a_token_is_good_for_an_hour_to_begin_and_longer_to_complete() -> None:
    token, late = bulk.sign(SECRET, PREVIEW), NOON + timedelta(hours=1, seconds=1)

    assert bulk.read(SECRET, token, tenant=TENANT, at=None) == PREVIEW
    with pytest.raises(errors.Stale):
        bulk.read(SECRET, token, tenant=TENANT, at=late)


def test_a_thousand_awards_fit_into_a_token() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    names = ["awd_" + "".join(letters[(i * 7919 + j * j * 31) % 32] for j in range(26)) for i in range(1000)]
    preview = msgspec.structs.replace(PREVIEW, awards=[Foreseen(name, 3, "change") for name in names])

    assert len(bulk.sign(SECRET, preview)) <= bulk.TOKEN_LIMIT


def test_an_award_named_twice_is_pointed_at() -> None:
    with pytest.raises(errors.Malformed) as raised:
        bulk.check(msgspec.structs.replace(WISH, award_ids=[AWARD, "awd_" + "b" * 26, AWARD]))

    assert [error.pointer for error in raised.value.errors] == ["/award_ids/2"]


def test_a_standing_that_moved_no_longer_stands_as_foreseen_but_did_at_the_earlier_position() -> None:
    revoke = rule_for("revoke", ChangeStanding(reason_code="other"), tenant=TENANT, at=LATER)
    history = placed(STREAM, revoke([], award_history(), institution_history()), at=10)

    assert not bulk.stands(Foreseen(AWARD, 0, "change"), history)
    assert bulk.stands(Foreseen(AWARD, 0, "change"), history, 10)
    assert bulk.stands(Foreseen(AWARD, 0, "unknown"), history)
