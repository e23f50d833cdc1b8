"""What a verification says of a copy that a correction replaced, and of an award that was renewed."""

from datetime import timedelta

import msgspec
import pytest
from tests.registry.verification.conftest import Make
from tests.registry.verification.facts import AWARD, NOW, Facts, signed

from registry.verdicts import shown
from registry.verification.knowledge import Correction, Renewal, Standing
from registry.verification.verifier import Submission

RENEWING = "awd_" + "n" * 26
FIRST = Correction(90, NOW - timedelta(hours=2), "name_error")
SECOND = Correction(95, NOW - timedelta(hours=1), "content_error")
STATES: list[tuple[Standing, str]] = [
    (Standing(state="good"), "valid"),
    (Standing(state="suspended", effective=NOW, position=99), "suspended since 2026-06-01 12:00 UTC, says this ledger"),
    (Standing(state="revoked", effective=NOW, position=99), "revoked since 2026-06-01 12:00 UTC, says this ledger"),
]


@pytest.mark.parametrize(("standing", "itself"), STATES, ids=[standing.state for standing, _ in STATES])
async def test_an_old_copy_is_told_what_replaced_it_and_how_the_award_stands(
    facts: Facts, verifier_over: Make, standing: Standing, itself: str
) -> None:
    facts.standings[AWARD.award_id] = msgspec.structs.replace(standing, corrections=(FIRST, SECOND))

    verdict = await verifier_over(facts).verify(Submission(credential=signed()))

    (check,) = [check for check in verdict.checks if check.status == "failed"]
    assert (check.name, check.code) == ("status", "SUPERSEDED")
    assert check.detail.startswith(
        "It was replaced by a corrected credential on 2026-06-01 10:00 UTC (position 90, reason name_error); the award"
        f" itself is {itself}"
    )
    assert (verdict.verified, verdict.issuer_recognised) == (False, True)
    page = shown(verdict)
    assert (page.status, page.headline) == ("failed", "Replaced")


async def test_what_lies_behind_the_corrections_before_it_is_judged_by_its_own(
    facts: Facts, verifier_over: Make
) -> None:
    earlier = (Correction(10, NOW, "name_error"), Correction(20, NOW, "other"))
    facts.standings[AWARD.award_id] = Standing(state="good", corrections=earlier)  # the document is of position 40

    assert (await verifier_over(facts).verify(Submission(credential=signed()))).verified


async def test_a_renewed_award_is_valid_and_says_what_renewed_it(facts: Facts, verifier_over: Make) -> None:
    renewal = Renewal(RENEWING, 91, NOW - timedelta(hours=2))
    facts.standings[AWARD.award_id] = Standing(state="good", renewal=renewal)

    verdict = await verifier_over(facts).verify(Submission(credential=signed()))

    (check,) = [check for check in verdict.checks if check.name == "status"]
    assert verdict.verified
    assert check.detail.endswith(f"It was renewed by {RENEWING} on 2026-06-01 10:00 UTC (position 91).")
