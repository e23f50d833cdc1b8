"""Identity objects, and whether a credential is a given person's."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.credentials.identity import Identity, identity_hash, identity_matches, identity_object, name_object


def awarded_to(*entries: dict[str, Any] | None, subject_id: str = "urn:uuid:1") -> dict[str, Any]:
    return {"credentialSubject": {"id": subject_id, "identifier": [entry for entry in entries if entry is not None]}}


def test_the_hash_is_the_specifications_own_example() -> None:
    assert identity_hash("a@example.com", "Kosher") == (
        "sha256$b5809d8a92f8858436d7e6b87c12ebc0ae1eac4baecc2c0b913aee2c922ef399"
    )


@pytest.mark.parametrize("hashed", [True, False])
@pytest.mark.parametrize("typed", ["ada@north.example", " Ada@North.EXAMPLE "])
def test_an_address_matches_however_it_is_typed(typed: str, hashed: bool) -> None:
    document = awarded_to(identity_object(Identity("email", "Ada@north.example", "salt", hashed)))

    assert identity_matches(document, "email", typed)
    assert not identity_matches(document, "email", "eve@north.example")
    assert not identity_matches(document, "student_id", typed)


def test_a_foreign_hash_of_an_address_as_it_was_typed_matches() -> None:
    entry = {
        "type": "IdentityObject",
        "hashed": True,
        "identityHash": identity_hash("Ada@North.example", "s").upper().replace("SHA256$", "sha256$"),
        "identityType": "emailAddress",
        "salt": "s",
    }

    assert identity_matches(awarded_to(entry), "email", "Ada@North.example")


def test_a_student_id_keeps_its_case() -> None:
    document = awarded_to(identity_object(Identity("student_id", "S-12a", "salt")))

    assert identity_matches(document, "student_id", "S-12a")
    assert not identity_matches(document, "student_id", "s-12A")


def test_a_did_is_the_subjects_id_and_no_identity_object() -> None:
    assert identity_object(Identity("did", "did:key:z6Mk")) is None
    assert identity_matches(awarded_to(subject_id="did:key:z6Mk"), "did", "did:key:z6Mk")
    assert not identity_matches(awarded_to(subject_id="did:key:z6Mk"), "did", "did:key:z6Mx")


@pytest.mark.parametrize("typed", ["STRASSE  Núñez", "straße Nu\u0301n\u0303ez "])
def test_names_compare_by_case_folding_and_composition(typed: str) -> None:
    document = awarded_to(name_object("Straße Núñez"))

    assert identity_matches(document, "name", typed)
    assert not identity_matches(document, "name", "Straße Nunez")


@pytest.mark.parametrize(
    "subject",
    [
        None,
        [],
        "did:example:1",
        {"identifier": "ada@north.example"},
        {"identifier": [{"identityHash": 7, "identityType": "emailAddress", "hashed": False}]},
        {"identifier": [{"identityHash": "md5$00", "identityType": "emailAddress", "hashed": True}]},
    ],
)
def test_a_document_that_says_nothing_usable_matches_nobody(subject: Any) -> None:
    assert not identity_matches({"credentialSubject": subject}, "email", "ada@north.example")


@given(st.emails(), st.text(max_size=20))
def test_every_hashed_address_is_found_again_and_not_shown(address: str, salt: str) -> None:
    entry = identity_object(Identity("email", address, salt))

    assert entry is not None
    assert address.lower() not in entry["identityHash"]
    assert identity_matches(awarded_to(entry), "email", address)
