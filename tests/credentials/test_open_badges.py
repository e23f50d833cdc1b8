"""The schema check accepts the specification's own examples, and names exactly the place where one is broken."""

from typing import Any

import pytest
from tests.credentials.samples import basic, changed, complete, degree, endorsement, skill_assertion

from ledger.credentials.data_model import structure_errors
from ledger.credentials.open_badges import SCHEMA_JSON_LD, achievement_errors, is_open_badge, schema_errors

SUBJECT = "/credentialSubject"
ACHIEVEMENT = "/credentialSubject/achievement"


@pytest.mark.parametrize("sample", [basic(), skill_assertion(), complete(), endorsement()])
def test_the_specifications_examples_are_accepted(sample: dict[str, Any]) -> None:
    assert schema_errors(sample) == []
    assert structure_errors(sample) == []
    assert is_open_badge(sample)


@pytest.mark.parametrize(
    "pointer",
    [
        "/@context",
        "/id",
        "/type",
        "/issuer",
        "/validFrom",
        "/credentialSubject",
        f"{SUBJECT}/type",
        f"{ACHIEVEMENT}/id",
        f"{ACHIEVEMENT}/type",
        f"{ACHIEVEMENT}/name",
        f"{ACHIEVEMENT}/description",
        f"{ACHIEVEMENT}/criteria",
        f"{ACHIEVEMENT}/alignment/0/targetName",
        f"{ACHIEVEMENT}/alignment/0/targetUrl",
        f"{ACHIEVEMENT}/resultDescription/0/name",
        f"{ACHIEVEMENT}/resultDescription/0/resultType",
        f"{ACHIEVEMENT}/resultDescription/1/rubricCriterionLevel/0/name",
        f"{ACHIEVEMENT}/image/type",
        f"{SUBJECT}/identifier/0/hashed",
        f"{SUBJECT}/identifier/0/identityHash",
        f"{SUBJECT}/identifier/0/identityType",
        "/evidence/0/type",
        "/issuer/type",
        "/issuer/address/type",
        "/issuer/otherIdentifier/0/identifier",
        "/endorsement/0/name",
        "/endorsement/0/credentialSubject/id",
        "/credentialStatus/id",
        "/refreshService/type",
    ],
)
def test_a_missing_required_property_is_named(pointer: str) -> None:
    pointers = {fault.pointer for fault in schema_errors(changed(complete(), pointer))}

    assert pointer in pointers


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        (f"{ACHIEVEMENT}/alignment", {"type": ["Alignment"], "targetName": "x", "targetUrl": "https://x.example"}),
        (f"{ACHIEVEMENT}/tag", "research"),
        (f"{SUBJECT}/identifier", {}),
        ("/evidence", {"type": ["Evidence"]}),
        ("/endorsement", endorsement()),
        (f"{ACHIEVEMENT}/creditsAvailable", "36"),
        (f"{SUBJECT}/creditsEarned", True),
        (f"{SUBJECT}/result/0/value", 4),
        (f"{ACHIEVEMENT}/resultDescription/1/rubricCriterionLevel/0/points", 4),
        (f"{ACHIEVEMENT}/achievementType", "Nanodegree"),
        (f"{ACHIEVEMENT}/resultDescription/0/resultType", "Marks"),
        (f"{SUBJECT}/result/2/status", "ext:Paused"),
        (f"{ACHIEVEMENT}/alignment/0/targetType", "ESCO"),
        (f"{SUBJECT}/identifier/0/identityType", "nickname"),
        (f"{SUBJECT}/identifier/0/hashed", "false"),
        (f"{ACHIEVEMENT}/image", "https://1edtech.edu/achievements/degree/image"),
        (f"{ACHIEVEMENT}/image/type", ["Image"]),
        (f"{ACHIEVEMENT}/name", None),
        (f"{ACHIEVEMENT}/version", 2),
        (f"{ACHIEVEMENT}/inLanguage", "en_GB"),
        (f"{ACHIEVEMENT}/id", "achievements/degree"),
        (f"{ACHIEVEMENT}/alignment/1/targetUrl", "catalog degree"),
        ("/validFrom", "2010-01-01T00:00:00"),
        ("/validUntil", "2030-13-01T00:00:00Z"),
        ("/issuer", "https://1edtech.edu/issuers/565049"),
        ("/issuer/type", ["Organization"]),
        ("/issuer/address/addressCountryCode", "USA"),
        ("/issuer/email", "registrar"),
        ("/type", ["VerifiableCredential"]),
        ("/credentialStatus", [{"id": "https://x.example/1", "type": "BitstringStatusListEntry"}]),
        (f"{ACHIEVEMENT}/criteria", {}),
        (f"{SUBJECT}/result/0/resultDescription", "urn:uuid:00000000-0000-0000-0000-000000000000"),
        (f"{SUBJECT}/result/1/achievedLevel", "urn:uuid:00000000-0000-0000-0000-000000000000"),
        ("/@context/1", "https://www.w3.org/ns/credentials/examples/v2"),
    ],
)
def test_a_wrong_value_is_named_by_its_pointer_alone(pointer: str, value: Any) -> None:
    faults = schema_errors(changed(complete(), pointer, value))

    assert {fault.pointer for fault in faults if not fault.pointer.startswith(pointer + "/")} == {pointer}


@pytest.mark.parametrize(
    "pointer",
    [f"{ACHIEVEMENT}/image/width", f"{SUBJECT}/identifier/0/note", "/issuer/address/planet", "/issuer/image/alt"],
)
def test_closed_objects_take_no_other_member(pointer: str) -> None:
    assert [fault.pointer for fault in schema_errors(changed(complete(), pointer, "x"))] == [pointer]


def test_extension_terms_pass_where_a_list_is_extensible() -> None:
    document = changed(complete(), f"{ACHIEVEMENT}/achievementType", "ext:Nanodegree")
    document = changed(document, f"{ACHIEVEMENT}/alignment/0/targetType", "ext:ESCO")

    assert schema_errors(document) == []


def test_a_status_result_needs_its_status() -> None:
    document = changed(
        complete(), f"{SUBJECT}/result/0/resultDescription", "urn:uuid:b07c0387-f2d6-4b65-a3f4-f4e4302ea8f7"
    )

    assert [fault.pointer for fault in schema_errors(document)] == [f"{SUBJECT}/result/0/status"]


def test_a_subject_needs_an_id_or_an_identifier() -> None:
    document = changed(basic(), f"{SUBJECT}/id")

    assert [fault.pointer for fault in schema_errors(document)] == [SUBJECT]


def test_every_fault_is_reported_at_once() -> None:
    document = changed(changed(changed(basic(), "/validFrom"), f"{ACHIEVEMENT}/name", 7), "/issuer/id", "nobody")

    assert {fault.pointer for fault in schema_errors(document)} == {"/validFrom", f"{ACHIEVEMENT}/name", "/issuer/id"}


def test_bare_values_pass_unless_the_document_names_the_array_form_schema() -> None:
    document = basic() | {"proof": {"type": "DataIntegrityProof"}}
    assert schema_errors(document) == []

    named = document | {"credentialSchema": [{"id": SCHEMA_JSON_LD, "type": "1EdTechJsonSchemaValidator2019"}]}
    assert [fault.pointer for fault in schema_errors(named)] == ["/proof"]


def test_several_status_entries_pass_only_where_no_open_badges_schema_is_named() -> None:
    entries = [
        {"id": f"https://x.example/{purpose}#1", "type": "BitstringStatusListEntry"}
        for purpose in ("revocation", "suspension")
    ]

    assert schema_errors(basic() | {"credentialStatus": entries}) == []


def test_a_lone_achievement_is_checked_by_the_same_tables() -> None:
    assert achievement_errors(degree()) == []
    assert [fault.pointer for fault in achievement_errors(changed(degree(), "/criteria"))] == ["/criteria"]


@pytest.mark.parametrize("value", [None, [], "x", 3])
def test_what_is_no_object_is_one_fault(value: Any) -> None:
    assert [fault.pointer for fault in schema_errors(value)] == [""]
    assert [fault.pointer for fault in achievement_errors(value)] == [""]
