"""The rule of renewals."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from tests.issuance.histories import NOON, TENANT, placed
from tests.issuance.test_awards import DRAWS, WISH, decide, facts_of

from issuance import awards, renewals
from ledger import errors
from ledger.codec import Fact, Recorded, format_time
from ledger.events import AwardRevoked, AwardSuspended

OLD = "awd_" + "e" * 26
RENEWAL = msgspec.structs.replace(WISH, renews=OLD)
CHANGED = {"award_id": OLD, "reason_code": "other", "effective": format_time(NOON)}


def check(history: Sequence[Recorded], standing: Sequence[Any] = (), learner: str = DRAWS.pseudonym) -> None:
    changes = placed(f"standing/{OLD}", [Fact(event=event, at=NOON) for event in standing])
    renewals.check(RENEWAL, history, changes, tenant=TENANT, learner=learner)


def old(**varied: Any) -> list[Recorded]:
    fact = facts_of()
    event = msgspec.structs.replace(fact.event, **varied)
    return placed(f"award/{OLD}", [msgspec.structs.replace(fact, event=event)])


def test_any_version_of_the_same_achievement_is_renewed_also_while_suspended() -> None:
    check(old())
    check(old(achievement_version=7))
    check(old(), [AwardSuspended(**CHANGED)])


@pytest.mark.parametrize(("history", "standing", "learner", "said"), [
    ([], (), DRAWS.pseudonym, "no such award"),
    (placed(f"award/{OLD}", [facts_of()], tenant="inst_" + "z" * 26), (), DRAWS.pseudonym, "no such award"),
    (old(), (), "lrn_" + "z" * 26, "another learner's"),
    (old(achievement_id="ach_" + "z" * 26), (), DRAWS.pseudonym, "another achievement"),
    (old(), (AwardRevoked(**CHANGED),), DRAWS.pseudonym, "revoked"),
])  # fmt: skip
def test_what_cannot_be_renewed_is_told(
    history: list[Recorded], standing: Sequence[Any], learner: str, said: str
) -> None:
    with pytest.raises(errors.Refused) as refused:
        check(history, standing, learner)
    assert refused.value.errors[0].pointer == "/renews"
    assert said in refused.value.errors[0].detail


def test_the_link_and_the_date_stand_in_the_event() -> None:
    event = decide(msgspec.structs.replace(RENEWAL, renew_by=NOON + timedelta(days=365)))

    assert (event.renews, event.renew_by) == (OLD, format_time(NOON + timedelta(days=365)))
    assert (decide().renews, decide().renew_by) == (None, None)


def test_nothing_is_due_for_renewal_before_it_begins() -> None:
    with pytest.raises(errors.Malformed) as malformed:
        awards.check(msgspec.structs.replace(WISH, renew_by=NOON - timedelta(days=1)), at=NOON)
    assert malformed.value.errors[0].pointer == "/renew_by"
