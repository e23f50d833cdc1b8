"""The unsigned credential: made of its facts alone, valid by both standards, the same every time."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openbadgeslib.ob3 import OpenBadgeCredential
from tests.credentials.contexts import undefined_in
from tests.credentials.samples import degree

from ledger.credentials.data_model import structure_errors
from ledger.credentials.document import BUILDER, CONTEXTS, credential_for
from ledger.credentials.facts import (
    CredentialFacts,
    EvidenceFacts,
    IssuerFacts,
    ResultFacts,
    SourceFacts,
    StatusFacts,
)
from ledger.credentials.identity import Identity, identity_hash
from ledger.credentials.open_badges import schema_errors

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
LISTS = "https://status.example/status-lists"
ACHIEVEMENT: dict[str, Any] = {
    "id": "https://ledger.example/achievements/ach_1/versions/1",
    "type": ["Achievement"],
    "name": "Cloud Foundations",
    "description": "The basics of cloud computing.",
    "criteria": {"narrative": "Pass the project."},
    "version": "1",
}


def facts(**varied: Any) -> CredentialFacts:
    given: dict[str, Any] = {
        "credential_url": "https://ledger.example/credentials/abc",
        "name": "Cloud Foundations",
        "valid_from": NOON,
        "issuer": IssuerFacts(
            did="did:web:ledger.example:issuers:north", name="North College", url="https://north.example"
        ),
        "achievement": ACHIEVEMENT,
        "subject_id": "urn:uuid:5b1f0a52-6f5e-4f0e-9d2b-0d8f8f7f3a11",
        "status": [StatusFacts(list_url=f"{LISTS}/sl_1", purpose="revocation", index=94567)],
    }
    return CredentialFacts(**(given | varied))


def full() -> CredentialFacts:
    achievement = {name: value for name, value in degree().items() if name not in ("endorsement", "creator")}
    return facts(
        achievement=achievement,
        issuer=IssuerFacts(
            did="did:web:ledger.example:issuers:north",
            name="North College",
            url="https://north.example",
            email="badges@north.example",
            image="https://north.example/logo.png",
            description="Teaches the north.",
        ),
        valid_until=NOON + timedelta(days=365),
        awarded_date=NOON - timedelta(days=1),
        identity=Identity(kind="email", value=" Ada@North.Example ", salt="pepper"),
        learner_name="Ada Núñez",
        narrative="Two projects.",
        evidence=[
            EvidenceFacts(id="https://north.example/work/1", name="Work", genre="Code", audience="Peers"),
            EvidenceFacts(narrative="A talk.", description="Given in class."),
        ],
        results=[
            ResultFacts(result_description="urn:uuid:f6ab24cd-86e8-4eaf-b8c6-ded74e8fd41c", value="A"),
            ResultFacts(
                result_description="urn:uuid:a70ddc6a-4c4a-4bd8-8277-cb97c79f40c5",
                achieved_level="urn:uuid:d05a0867-d0ad-4b03-bdb5-28fb5d2aab7a",
            ),
            ResultFacts(result_description="urn:uuid:b07c0387-f2d6-4b65-a3f4-f4e4302ea8f7", status="Completed"),
        ],
        credits_earned="4.5",
        license_number="A-1",
        term="Fall",
        role="Intern",
        source=SourceFacts(id="https://centre.example/1", name="Test centre", url="https://centre.example"),
        test=True,
        demo=True,
    )


def test_the_smallest_award_is_exactly_this_document() -> None:
    assert BUILDER == 1
    assert credential_for(facts()) == {
        "@context": list(CONTEXTS),
        "id": "https://ledger.example/credentials/abc",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Cloud Foundations",
        "issuer": {
            "id": "did:web:ledger.example:issuers:north",
            "type": ["Profile"],
            "name": "North College",
            "url": "https://north.example",
        },
        "validFrom": "2026-01-31T12:00:00Z",
        "credentialSubject": {
            "id": "urn:uuid:5b1f0a52-6f5e-4f0e-9d2b-0d8f8f7f3a11",
            "type": ["AchievementSubject"],
            "achievement": ACHIEVEMENT,
        },
        "credentialStatus": {
            "id": f"{LISTS}/sl_1#94567",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": "94567",
            "statusListCredential": f"{LISTS}/sl_1",
        },
        "credentialSchema": [
            {
                "id": "https://purl.imsglobal.org/spec/ob/v3p0/schema/json-ld/"
                "ob_v3p0_achievementcredential_schema.json",
                "type": "1EdTechJsonSchemaValidator2019",
            }
        ],
    }


@pytest.mark.parametrize("one", [facts(), full()])
def test_a_credential_is_valid_by_both_standards(one: CredentialFacts) -> None:
    document = credential_for(one)

    assert schema_errors(document) == []
    assert structure_errors(document) == []


def test_every_fact_stands_in_the_document() -> None:
    document = credential_for(full())
    subject = document["credentialSubject"]

    assert document["name"] == "TEST DEMO — Cloud Foundations"
    assert "certifies nothing" in document["description"]
    assert document["validUntil"] == "2027-01-31T12:00:00Z"
    assert document["awardedDate"] == "2026-01-30T12:00:00Z"
    assert document["issuer"]["image"] == {"id": "https://north.example/logo.png", "type": "Image"}
    assert subject["identifier"] == [
        {
            "type": "IdentityObject",
            "hashed": True,
            "identityHash": identity_hash("ada@north.example", "pepper"),
            "identityType": "emailAddress",
            "salt": "pepper",
        },
        {"type": "IdentityObject", "hashed": False, "identityHash": "Ada Núñez", "identityType": "name"},
    ]
    assert subject["creditsEarned"] == 4.5
    assert [sorted(entry) for entry in subject["result"]] == [
        ["resultDescription", "type", "value"],
        ["achievedLevel", "resultDescription", "type"],
        ["resultDescription", "status", "type"],
    ]
    assert [entry["type"] for entry in document["evidence"]] == [["Evidence"], ["Evidence"]]
    assert (subject["licenseNumber"], subject["term"], subject["role"]) == ("A-1", "Fall", "Intern")
    assert subject["source"]["name"] == "Test centre"


def test_two_status_entries_stand_in_an_array_and_claim_no_open_badges_schema() -> None:
    entries = [StatusFacts(list_url=f"{LISTS}/{purpose}", purpose=purpose, index=7) for purpose in ("revocation", "s")]
    document = credential_for(facts(status=entries))

    assert [entry["statusPurpose"] for entry in document["credentialStatus"]] == ["revocation", "s"]
    assert "credentialSchema" not in document
    assert schema_errors(document) == []


def test_nothing_in_the_document_is_undefined_in_its_contexts() -> None:
    document = credential_for(full())

    assert undefined_in(document) == set()
    assert undefined_in({**document, "mood": "merry as can be"}) == {"merry as can be"}


def test_openbadgeslib_reads_the_document() -> None:
    read = OpenBadgeCredential.from_vc_document(credential_for(full()))

    assert read.achievement.name == "1EdTech University Degree"
    assert read.issuer.id == "did:web:ledger.example:issuers:north"


def test_times_are_written_in_utc_whatever_their_zone() -> None:
    evening = NOON.astimezone(timezone(timedelta(hours=9)))

    assert credential_for(facts(valid_from=evening)) == credential_for(facts())


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        credential_for(facts(valid_from=NOON.replace(tzinfo=None)))


def test_equal_evidence_and_results_are_written_once() -> None:
    twice = facts(evidence=[EvidenceFacts(name="Work")] * 2, results=[ResultFacts(value="A")] * 3)
    document = credential_for(twice)

    assert len(document["evidence"]) == 1
    assert len(document["credentialSubject"]["result"]) == 1


@settings(max_examples=100, deadline=None)
@given(
    st.builds(
        facts,
        name=st.text(min_size=1, max_size=40),
        learner_name=st.none() | st.text(min_size=1, max_size=40),
        credits_earned=st.none() | st.decimals(0, 9999, places=2).map(str),
        evidence=st.lists(st.builds(EvidenceFacts, name=st.none() | st.text(max_size=9)), max_size=3),
        test=st.booleans(),
    )
)
def test_equal_facts_give_equal_bytes(one: CredentialFacts) -> None:
    again = msgspec.convert(msgspec.to_builtins(one), CredentialFacts)

    assert msgspec.json.encode(credential_for(one)) == msgspec.json.encode(credential_for(again))
