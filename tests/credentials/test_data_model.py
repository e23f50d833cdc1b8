"""What a verifier must refuse by the VC Data Model 2.0, and what it must let pass."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.credentials.samples import V2, basic, changed, skill_assertion

from ledger.credentials.data_model import structure_errors
from ledger.credentials.open_badges import schema_errors

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/@context", V2),
        ("/@context", []),
        ("/@context/0", "https://www.w3.org/ns/credentials/examples/v2"),
        ("/@context/1", 7),
        ("/type", []),
        ("/type", None),
        ("/type", ["OpenBadgeCredential"]),
        ("/id", ["http://example.com/credentials/3527"]),
        ("/id", "credentials/3527"),
        ("/issuer", None),
        ("/issuer", 4),
        ("/issuer", ["https://example.com/issuers/876543"]),
        ("/issuer/id", None),
        ("/issuer/name", {"@value": "Example", "lang": "en"}),
        ("/credentialSubject", None),
        ("/credentialSubject", "did:example:1"),
        ("/credentialSubject", {}),
        ("/credentialSubject", []),
        ("/credentialSubject/id", 7),
        ("/validFrom", "2010-01-01T00:00:00"),
        ("/validFrom", "2010-01-01"),
        ("/validUntil", "2009-01-01T00:00:00Z"),
        ("/credentialStatus", "https://example.com/status"),
        ("/name", {"@value": "Teamwork", "url": "https://example.com"}),
        ("/description", 3),
        ("/relatedResource", [{"id": "https://example.com/logo"}]),
        ("/proof", "zabc"),
        ("/proof", []),
    ],
)
def test_a_fault_is_named_by_its_pointer(pointer: str, value: Any) -> None:
    faults = structure_errors(changed(basic(), pointer, value))

    assert [
        fault.pointer.removesuffix("/0") if pointer == "/relatedResource" else fault.pointer for fault in faults
    ] == [pointer]


@pytest.mark.parametrize("name", ["credentialStatus", "termsOfUse", "evidence", "refreshService", "credentialSchema"])
def test_typed_members_must_say_their_type(name: str) -> None:
    faults = structure_errors(basic() | {name: {"id": "https://example.com/x"}})

    assert [fault.pointer for fault in faults] == [f"/{name}/type"]


@pytest.mark.parametrize("identifier", ["not a url", ["https://example.com/1"]])
def test_a_status_entrys_id_is_one_url(identifier: Any) -> None:
    faults = structure_errors(basic() | {"credentialStatus": [{"id": identifier, "type": "BitstringStatusListEntry"}]})

    assert [fault.pointer for fault in faults] == ["/credentialStatus/0/id"]


def test_related_resources_are_unique_and_carry_a_digest() -> None:
    resource = {"id": "https://example.com/logo", "digestSRI": "sha256-x"}

    assert structure_errors(basic() | {"relatedResource": [resource]}) == []
    assert [fault.pointer for fault in structure_errors(basic() | {"relatedResource": [resource, resource]})] == [
        "/relatedResource/1/id"
    ]


@pytest.mark.parametrize(
    "members",
    [
        {"issuer": "https://example.com/issuers/1"},
        {"name": [{"@value": "Équipe", "@language": "fr"}, {"@value": "فريق", "@direction": "rtl"}]},
        {"credentialSubject": [{"id": "did:example:1"}, {"alumniOf": "x"}]},
        {"validFrom": "2010-01-01T00:00:00.123456789+14:00"},
        {"credentialStatus": {"type": "BitstringStatusListEntry"}},
    ],
)
def test_what_the_standard_allows_passes(members: dict[str, Any]) -> None:
    assert structure_errors(basic() | members) == []


def test_data_model_1_1_requires_its_issuance_date() -> None:
    faults = structure_errors(changed(skill_assertion(), "/issuanceDate"))

    assert [fault.pointer for fault in faults] == ["/issuanceDate"]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted([*basic(), "credentialStatus", "evidence", "relatedResource", "proof"])), JSON)
def test_no_input_breaks_the_checks(name: str, value: Any) -> None:
    document = basic() | {name: value}

    for fault in [*structure_errors(document), *schema_errors(document), *structure_errors(value)]:
        assert fault.pointer == "" or fault.pointer.startswith("/")
