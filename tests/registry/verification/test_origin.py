"""Who made a credential: keys by position in the log, what was recorded, who vouches."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from registry.verification.knowledge import KnownInstitution, KnownKey, RecordedAward
from registry.verification.origin import SANDBOX, Record, Signatory, key_check, recognised_check, recorded_check
from registry.verification.verdict import NAMES, Summary, failed, passed, skipped, unread, verdict_of

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
DID = "did:web:ledger.example:issuers:oak"


def key(**changed: Any) -> KnownKey:
    known = {"id": f"{DID}#key_1", "algorithm": "Ed25519", "public_key": "z6Mk", "added": NOON, "added_position": 3}
    return KnownKey(**{**known, **changed})


def oak(**changed: Any) -> KnownInstitution:
    known = {"id": "inst_oak", "did": DID, "slug": "oak", "name": "Oak College", "active": True, "keys": (key(),)}
    return KnownInstitution(**{**known, **changed})


def signatory(of: KnownKey | None = None, institution: KnownInstitution | None = None) -> Signatory:
    used = of or key()
    return Signatory(method=used.id, controller=DID, institution=institution or oak(), key=used)


FOREIGN = Signatory(method="did:web:issuer.example#k", controller="did:web:issuer.example")
COMPROMISED = key(compromised=NOON - timedelta(days=1), compromised_position=50)


@pytest.mark.parametrize(
    ("used", "award", "status", "said"),
    [
        (key(), None, "passed", "in use"),
        (key(), RecordedAward("awd_1", 10), "passed", "in use"),
        (key(retired=NOON, retired_position=20), RecordedAward("awd_1", 10), "passed", "retired"),
        (COMPROMISED, RecordedAward("awd_1", 49), "passed", "recorded before"),
        (COMPROMISED, RecordedAward("awd_1", 50), "failed", "only later"),
        (COMPROMISED, RecordedAward("awd_1", 51), "failed", "only later, at position 51"),
        (COMPROMISED, None, "failed", "in other hands since 2026-05-31 12:00 UTC"),
        (key(compromised=NOON, compromised_position=50, retired=NOON), None, "failed", "in other hands"),
    ],
)
def test_a_key_of_ours_is_judged_by_positions(
    used: KnownKey, award: RecordedAward | None, status: str, said: str
) -> None:
    check = key_check([signatory(used)], DID, award, NOON)

    assert check.status == status
    assert said in check.detail


def test_a_key_of_somebody_else_than_the_issuer_fails() -> None:
    check = key_check([signatory(), FOREIGN], DID, None, NOON)

    assert check.status == "failed"
    assert "did:web:issuer.example, not to the issuer" in check.detail


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({}, "passed"),
        ({"may_assert": False}, "failed"),
        ({"ended": NOON}, "failed"),
        ({"ended": NOON + timedelta(seconds=1)}, "passed"),
    ],
)
def test_a_foreign_key_counts_while_its_issuer_says_so(changed: dict[str, Any], status: str) -> None:
    by = msgspec.structs.replace(FOREIGN, **changed)

    assert key_check([by], "did:web:issuer.example", None, NOON).status == status


def test_without_a_key_there_is_none_to_judge() -> None:
    assert key_check([], DID, None, NOON).status == "skipped"


@pytest.mark.parametrize(
    ("record", "status", "said"),
    [
        (Record(claims_ours=True, award=RecordedAward("awd_1", 7)), "passed", "position 7"),
        (Record(claims_ours=False), "skipped", "its own awards only"),
        (Record(claims_ours=True), "failed", "no such document"),
        (Record(claims_ours=True, other_text=True), "failed", "altered"),
    ],
)
def test_only_what_claims_to_be_ours_must_be_recorded(record: Record, status: str, said: str) -> None:
    check = recorded_check(record)

    assert check.status == status
    assert said in check.detail


def test_an_active_institution_is_recognised_by_its_own_sound_signature_alone() -> None:
    recognised = recognised_check([signatory(), signatory()], sound=True, name="Oak College", namesake=oak())

    assert recognised.status == "passed"


@pytest.mark.parametrize(
    ("signatories", "sound", "namesake", "said"),
    [
        ([signatory()], False, oak(), "do not hold"),
        ([signatory(), FOREIGN], True, oak(), "do not hold"),
        ([signatory(institution=oak(active=False, state="suspended"))], True, None, "is suspended here"),
        ([signatory(institution=oak(active=False, state="closed"))], True, None, "stays verifiable, but nobody"),
        (
            [signatory(institution=oak(active=False, state="closed", successor="Elm College"))],
            True,
            None,
            "stays verifiable, and Elm College decides about its awards",
        ),
        ([FOREIGN], True, oak(), "bears the name of Oak College"),
        ([FOREIGN], True, None, "vouches for the name “Oak College”"),
        ([], False, oak(), "do not hold"),
        ([], False, None, "vouches for the name “Oak College”"),
    ],
)
def test_whom_nobody_here_vouches_for_is_skipped_with_the_reason(
    signatories: list[Signatory], sound: bool, namesake: KnownInstitution | None, said: str
) -> None:
    check = recognised_check(signatories, sound=sound, name="Oak College", namesake=namesake)

    assert check.status == "skipped"
    assert said in check.detail


@pytest.mark.parametrize("name", [name for name in NAMES if name != "issuer_recognised"])
def test_every_check_but_the_recognition_of_the_issuer_bears_on_the_verdict(name: str) -> None:
    good = [passed(each, "") for each in NAMES]

    assert verdict_of(good, Summary(), test=False).verified
    assert not verdict_of([*good, failed(name, "")], Summary(), test=False).verified


def test_a_sound_credential_of_an_unknown_issuer_is_verified_and_not_recognised() -> None:
    checks = [passed("proofs", ""), skipped("issuer_recognised", "")]

    verdict = verdict_of(checks, Summary(), test=True)

    assert (verdict.verified, verdict.issuer_recognised, verdict.test) == (True, False, True)


def test_without_a_proof_that_holds_nothing_is_verified() -> None:
    assert not verdict_of([skipped("proofs", "")], Summary(), test=False).verified
    assert not verdict_of([], Summary(), test=False).verified


def test_what_cannot_be_read_fails_by_its_structure_alone() -> None:
    verdict = unread(failed("structure", "no JSON"), test=False)

    assert [check.name for check in verdict.checks] == list(NAMES)
    assert [check.name for check in verdict.checks if check.status == "failed"] == ["structure"]
    assert not verdict.verified


@pytest.mark.parametrize("sound", [True, False])
@pytest.mark.parametrize("active", [True, False])
def test_a_sandbox_is_never_recognised(sound: bool, active: bool) -> None:
    sandbox = oak(id="test_oak", active=active)

    check = recognised_check([signatory(institution=sandbox)], sound=sound, name="Oak College", namesake=oak())

    assert (check.status, check.code) == ("skipped", SANDBOX)
    assert check.detail == "It is signed in a sandbox: it proves nothing."
