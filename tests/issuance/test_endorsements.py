"""Endorsements in a wish: kept as they came, and refused with the pointer of the member that was sent."""

import copy
from typing import Any

import pytest
from tests.credentials.samples import changed, degree
from tests.endorsements import endorsed, endorsed_jwt
from tests.issuance.test_achievements import URL, body, wish

from issuance.achievements import achievement_document, achievement_from_ob3, published
from issuance.achievements.endorsements import (
    LARGEST_BYTES,
    OPEN_BADGES_NAMES,
    OWN_NAMES,
    Judged,
    endorsement_faults,
)
from issuance.achievements.versions import check_signable
from ledger import contexts
from ledger.credentials.open_badges import achievement_errors
from ledger.errors import Malformed

Json = dict[str, Any]


def test_an_endorsement_stands_in_the_document_as_it_came_and_a_jwt_in_the_details() -> None:
    given, jwt = endorsed(), endorsed_jwt()
    judged = Judged(form="embedded", id=given["id"], issuer=given["issuer"]["id"], signature="checked")

    event, _ = published(wish(endorsements=[given], endorsement_jwts=[jwt]), URL, 1, [judged])

    assert event.document["endorsement"] == [given]
    assert "endorsementJwt" not in event.document
    assert event.details["endorsement_jwts"] == [jwt]
    assert event.details["endorsement_signatures"] == [
        {"form": "embedded", "id": given["id"], "issuer": given["issuer"]["id"], "signature": "checked"}
    ]
    assert achievement_errors(event.document) == []
    check_signable(event)


def test_equal_parts_of_an_endorsement_stay_twice_where_they_stood_twice() -> None:
    schema = {"id": "https://guild.example/schema.json", "type": "1EdTechJsonSchemaValidator2019"}
    given = endorsed(**{"@context": list(contexts.AWARD), "credentialSchema": [schema, schema]})

    assert achievement_document(wish(endorsements=[given]), URL, 1)["endorsement"] == [given]


def test_a_posted_open_badges_achievement_brings_both_forms() -> None:
    given, jwt = endorsed(), endorsed_jwt()
    sent = {**degree(), "creator": {"id": "https://1edtech.edu/issuers/1", "type": ["Profile"], "name": "University"}}

    asked = achievement_from_ob3({**sent, "endorsement": [given], "endorsementJwt": [jwt]})

    assert (asked.endorsements, asked.endorsement_jwts) == ([given], [jwt])


def unproven(given: Json) -> None:
    del given["proof"]


REFUSED: list[tuple[str, Any, str]] = [
    ("no proof", unproven, "/proof"),
    ("an empty list of proofs", lambda e: e.update(proof=[]), "/proof"),
    ("another kind of credential", lambda e: e.update(type=["VerifiableCredential", "OpenBadgeCredential"]), "/type"),
    ("no subject", lambda e: e["credentialSubject"].pop("id"), "/credentialSubject/id"),
    ("words of the wrong kind", lambda e: e["credentialSubject"].update(endorsementComment=7),
     "/credentialSubject/endorsementComment"),
    ("a member that its class does not have", lambda e: e["credentialSubject"].update(stars=5),
     "/credentialSubject/stars"),
    ("no issuer", lambda e: e.pop("issuer"), "/issuer"),
    ("an issuer without a scheme", lambda e: e["issuer"].update(id="guild"), "/issuer/id"),
    ("a private person", lambda e: e["issuer"].update(givenName="Ada"), "/issuer/givenName"),
    ("a private person further up", lambda e: e["issuer"].update(parentOrg={
        "id": "https://a.example", "type": ["Profile"], "dateOfBirth": "2000-01-01"}), "/issuer/parentOrg/dateOfBirth"),
    ("no first context", lambda e: e.update({"@context": e["@context"][1:]}), "/@context/0"),
    ("a period that ends before it begins", lambda e: e.update(validUntil="2020-01-01T00:00:00Z"), "/validUntil"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "pointer"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED])
@pytest.mark.parametrize("names", [OWN_NAMES, OPEN_BADGES_NAMES], ids=["ours", "open badges"])
def test_what_is_no_endorsement_is_refused_where_it_stands(change: Any, pointer: str, names: tuple[str, str]) -> None:
    given = copy.deepcopy(endorsed())
    change(given)

    faults = endorsement_faults([endorsed(id="https://guild.example/endorsements/2"), given], [], names)

    assert f"/{names[0]}/1{pointer}" in {fault.pointer for fault in faults}


def test_the_same_endorsement_is_not_taken_twice_nor_eleven_nor_more_than_every_credential_can_carry() -> None:
    many = [endorsed(id=f"https://guild.example/endorsements/{n}") for n in range(11)]
    large = endorsed(description="x" * LARGEST_BYTES)
    jwt = endorsed_jwt()

    pointers = [
        [fault.pointer for fault in endorsement_faults(given, jwts)]
        for given, jwts in [([endorsed(), endorsed()], []), (many, []), ([large], []), ([], [jwt, jwt])]
    ]

    assert pointers == [["/endorsements/1/id"], ["/endorsements"], ["/endorsements"], ["/endorsement_jwts/1"]]


@pytest.mark.parametrize(
    ("jwt", "detail"),
    [
        ("nonsense", "three parts"),
        ("e30.e30.", "typ|alg"),
        (endorsed_jwt(type=["VerifiableCredential"]), "/type must include EndorsementCredential"),
        (endorsed_jwt(name=7), "/name must be a string"),
    ],
)
def test_a_jwt_must_hold_an_endorsement(jwt: str, detail: str) -> None:
    with pytest.raises(Malformed) as refused:
        published(wish(endorsement_jwts=[jwt]), URL, 1)

    assert [fault.pointer for fault in refused.value.errors] == ["/endorsement_jwts/0"]
    assert any(part in refused.value.errors[0].detail for part in detail.split("|"))


def test_a_term_that_no_context_defines_is_refused_where_it_stands_before_anything_is_signed() -> None:
    given = endorsed()
    given["issuer"]["favourite"] = "blue"
    event, _ = published(wish(endorsements=[given]), URL, 1)

    with pytest.raises(Malformed) as refused:
        check_signable(event)

    assert [fault.pointer for fault in refused.value.errors] == ["/endorsement/0/issuer/favourite"]


def test_an_extension_is_refused_and_the_sentence_says_why() -> None:
    sent = {**degree(), "creator": {"id": "https://1edtech.edu/issuers/1", "type": ["Profile"], "name": "University"}}
    sent.pop("endorsement")

    with pytest.raises(Malformed) as refused:
        achievement_from_ob3(changed(sent, "/hoursPerWeek", 5))

    assert [fault.pointer for fault in refused.value.errors] == ["/hoursPerWeek"]
    assert "no signature of a credential would cover it" in refused.value.errors[0].detail


def test_an_achievement_without_endorsements_reads_as_before() -> None:
    event, _ = published(wish(**body()), URL, 1)

    assert "endorsement" not in event.document
    assert event.details == {}
