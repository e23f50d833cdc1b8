"""The checks that need the credential alone."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.registry.verification.badges import EMAIL, NAME, STUDENT_ID, SUBJECT, badge

from registry.verification.content import (
    Recipient,
    recipient_check,
    schema_check,
    structure_check,
    summary_of,
    validity_check,
)
from registry.verification.reading import Presented

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_a_well_formed_badge_passes_structure_and_schema() -> None:
    assert structure_check(Presented(badge())).status == "passed"
    assert schema_check(badge()).status == "passed"


def test_a_structural_fault_is_pointed_at() -> None:
    check = structure_check(Presented(badge(issuer=7)))

    assert check.status == "failed"
    assert [error.pointer for error in check.errors] == ["/issuer"]
    assert "/issuer must be" in check.detail


def test_the_older_data_model_is_read() -> None:
    old = badge(
        **{"@context": ["https://www.w3.org/2018/credentials/v1"]},
        validFrom=None,
        validUntil=None,
        issuanceDate="2026-01-01T00:00:00Z",
        expirationDate="2026-05-01T00:00:00Z",
    )

    assert "1.1" in structure_check(Presented(old)).detail
    assert validity_check(old, NOON).status == "failed"
    assert summary_of(old).valid_until == "2026-05-01T00:00:00Z"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "did:web:other.example"},
        {"sub": "did:example:bob"},
        {"jti": "urn:uuid:1"},
        {"nbf": 0},
        {"nbf": "1767225600"},
        {"nbf": True},
        {"exp": 1767225600},
    ],
)
def test_a_claim_of_the_jwt_that_contradicts_the_credential_fails_structure(claims: dict[str, Any]) -> None:
    check = structure_check(Presented(badge(), "a.b.c", claims))

    assert check.status == "failed"
    assert [error.pointer for error in check.errors] == [f"/{name}" for name in claims]


def test_claims_of_the_jwt_that_say_what_the_credential_says_pass() -> None:
    claims = {
        "iss": "did:web:issuer.example",
        "sub": SUBJECT,
        "jti": "https://issuer.example/credentials/1",
        "nbf": 1767225600,
        "exp": 4922899200,
        "aud": "anybody",
    }

    assert structure_check(Presented(badge(), "a.b.c", claims)).status == "passed"


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({}, "passed", "valid until 2126-01-01 00:00 UTC"),
        ({"validUntil": None}, "passed", "without an end date"),
        ({"validUntil": "2026-06-01T11:59:59Z"}, "failed", "has expired"),
        ({"validUntil": "2026-06-01T14:00:00+02:00"}, "passed", "valid until 2026-06-01 12:00 UTC"),
        ({"validFrom": "2026-06-01T12:00:30Z"}, "passed", "valid until"),
        ({"validFrom": "2026-06-02T00:00:00Z"}, "failed", "not valid yet"),
        ({"validFrom": "yesterday"}, "failed", "cannot be read"),
        ({"validUntil": ["2126-01-01T00:00:00Z"]}, "failed", "cannot be read"),
    ],
)
def test_the_period_of_validity_is_judged_at_the_given_time(changed: dict[str, Any], status: str, said: str) -> None:
    check = validity_check(badge(**changed), NOON)

    assert check.status == status
    assert said in check.detail


def test_a_credential_of_another_kind_has_no_schema_here() -> None:
    assert schema_check(badge(type=["VerifiableCredential"])).status == "skipped"


def test_a_badge_that_misses_its_achievement_fails_the_schema_there() -> None:
    check = schema_check(badge(credentialSubject={"id": SUBJECT, "type": ["AchievementSubject"]}))

    assert check.status == "failed"
    assert "/credentialSubject/achievement" in [error.pointer for error in check.errors]


@pytest.mark.parametrize(
    ("recipient", "status"),
    [
        (None, "skipped"),
        (Recipient(), "skipped"),
        (Recipient(email=EMAIL), "passed"),
        (Recipient(name=NAME), "passed"),
        (Recipient(student_id=STUDENT_ID), "passed"),
        (Recipient(did=SUBJECT), "passed"),
        (Recipient(email=EMAIL, name=NAME), "passed"),
        (Recipient(email="bob@learner.example"), "failed"),
        (Recipient(email=EMAIL, name="Bob Ray"), "failed"),
        (Recipient(did="did:example:bob"), "failed"),
    ],
)
def test_every_named_trait_of_the_recipient_must_be_the_credential_s(recipient: Recipient | None, status: str) -> None:
    assert recipient_check(badge(), recipient).status == status


def test_what_was_asked_about_a_person_is_nowhere_repeated() -> None:
    asked = Recipient(email="bob@learner.example", name="Bob Ray", student_id="S-2", did="did:example:bob")

    assert repr(asked) == "Recipient(…)"
    detail = recipient_check(badge(), asked).detail
    assert not any(part in detail for part in ("bob", "Bob", "S-2"))


def test_the_summary_leaves_out_what_is_not_as_it_should_be() -> None:
    odd = badge(id=["a"], type=[7, "VerifiableCredential"], name={"@value": ["x"]}, credentialSubject=[], issuer=[1])

    summary = summary_of(odd)

    assert (summary.id, summary.type, summary.name, summary.issuer) == (None, ["VerifiableCredential"], None, None)
