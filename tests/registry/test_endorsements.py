"""Endorsements as pages tell them: who, in which words, about what, and whether the signature was checked."""

from datetime import UTC, datetime

from tests.endorsements import ABOUT, endorsed_jwt, endorsement

from registry.endorsements import Endorsement, endorsements_of

ID = "https://ledger.example/achievements/ach_a/versions/2"
DOCUMENT = {"id": ID, "related": [{"id": ABOUT, "type": ["Related"]}]}


def told(*given: object, **details: object) -> list[Endorsement]:
    return endorsements_of({**DOCUMENT, "endorsement": list(given)}, details)


def test_an_endorsement_is_told_with_what_was_found_out_about_it() -> None:
    one = endorsement("did:web:guild.example", validUntil="2027-01-01T00:00:00Z")

    found = told(one, endorsement_signatures=[{"signature": "checked"}])

    assert found == [
        Endorsement(
            by="Guild of Data Workers (DEMO)",
            issuer="did:web:guild.example",
            url=None,
            name="Endorsement of the Guild",
            comment="Our members hire by **this** badge.",
            about=None,
            since=datetime(2026, 1, 1, tzinfo=UTC),
            until=datetime(2027, 1, 1, tzinfo=UTC),
            checked=True,
            embedded=True,
        )
    ]


def test_what_was_not_found_out_counts_as_not_checked() -> None:
    assert [one.checked for one in told(endorsement("did:web:guild.example"))] == [False]


def test_a_jwt_comes_after_the_embedded_ones_and_what_cannot_be_read_names_nobody() -> None:
    found = told(endorsement("did:web:guild.example"), endorsement_jwts=[endorsed_jwt(), "nonsense"])

    assert [(one.embedded, one.by) for one in found] == [
        (True, "Guild of Data Workers (DEMO)"),
        (False, "Guild of Data Workers (DEMO)"),
        (False, ""),
    ]


def test_another_version_is_the_same_achievement_and_anything_else_is_named() -> None:
    subjects = [ID, ID.replace("/2", "/1"), ID.rpartition("/versions/")[0], "did:web:ledger.example:issuers:north"]

    found = told(*(endorsement("did:web:guild.example", about) for about in subjects))

    assert [one.about for one in found] == [None, None, None, "did:web:ledger.example:issuers:north"]
