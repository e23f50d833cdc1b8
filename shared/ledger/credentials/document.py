"""The unsigned Open Badges 3.0 credential of one award (VC Data Model 2.0; Open Badges 3.0 with context 3.0.3).

`BUILDER` numbers the way documents are built; it stands in every award, so that an old award is always built the old
way. Whoever changes the output for equal facts adds a builder and keeps this one.

TEST and DEMO are said twice, in the only two places that Open Badges has, wallets show and proofs cover: the
credential's `name` begins with the word and its `description` says what it means. A type, a tag or a property of our
own would be undefined in the contexts, or would be dropped by the verifiers that matter; the issuer's name and the
achievement are shared facts and stay as they are.
"""

from datetime import datetime
from typing import Any, Final

from ledger.credentials.facts import CredentialFacts, EvidenceFacts, IssuerFacts, ResultFacts, SourceFacts, StatusFacts
from ledger.credentials.identity import identity_object, name_object
from ledger.credentials.lexical import credit_number, time_text
from ledger.credentials.open_badges import SCHEMA_JSON_LD
from ledger.credentials.siblings import distinct

BUILDER: Final = 1
CONTEXTS: Final = (
    "https://www.w3.org/ns/credentials/v2",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
    "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",
)
TEST_NOTE: Final = "TEST: issued by a ledger in test mode; it certifies nothing."
SANDBOX_NOTE: Final = "TEST: made in an institution's sandbox to try things out; it certifies nothing."
DEMO_NOTE: Final = "DEMO: awarded by an invented institution to show the ledger; it certifies nothing."

Json = dict[str, Any]


def credential_for(facts: CredentialFacts) -> Json:
    """The unsigned credential: equal facts give equal documents, in members, order and spelling."""
    words = [word for word, said in (("TEST", facts.test or facts.sandbox), ("DEMO", facts.demo)) if said]
    told = ((TEST_NOTE, facts.test), (SANDBOX_NOTE, facts.sandbox), (DEMO_NOTE, facts.demo))
    notes = [note for note, said in told if said]
    return _present(
        {
            "@context": list(CONTEXTS),
            "id": facts.credential_url,
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "name": f"{' '.join(words)} — {facts.name}" if words else facts.name,
            "description": " ".join(notes) or None,
            "issuer": _issuer(facts.issuer),
            "validFrom": time_text(facts.valid_from),
            "validUntil": _time(facts.valid_until),
            "awardedDate": _time(facts.awarded_date),
            "credentialSubject": _subject(facts),
            "evidence": distinct([_evidence(piece) for piece in facts.evidence]),
            "credentialStatus": _status(facts.status),
            "credentialSchema": _schema(facts.status),
        }
    )


def status_entry(status: StatusFacts) -> Json:
    """One BitstringStatusListEntry; its `id`, which Open Badges requires, is the list's URL with the index."""
    return {
        "id": f"{status.list_url}#{status.index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": status.purpose,
        "statusListIndex": str(status.index),
        "statusListCredential": status.list_url,
    }


def _present(members: Json) -> Json:
    """Without what is absent: neither null nor an empty array stands in a document."""
    return {name: value for name, value in members.items() if value is not None and value != []}


def _time(at: datetime | None) -> str | None:
    return None if at is None else time_text(at)


def _issuer(issuer: IssuerFacts) -> Json:
    return _present(
        {
            "id": issuer.did,
            "type": ["Profile"],
            "name": issuer.name,
            "url": issuer.url,
            "email": issuer.email,
            "description": issuer.description,
            "image": None if issuer.image is None else {"id": issuer.image, "type": "Image"},
        }
    )


def _subject(facts: CredentialFacts) -> Json:
    known = None if facts.identity is None else identity_object(facts.identity)
    named = None if facts.learner_name is None else name_object(facts.learner_name)
    return _present(
        {
            "id": facts.subject_id,
            "type": ["AchievementSubject"],
            "identifier": [entry for entry in (known, named) if entry is not None],
            "achievement": facts.achievement,
            "narrative": facts.narrative,
            "result": distinct([_result(result) for result in facts.results]),
            "creditsEarned": None if facts.credits_earned is None else credit_number(facts.credits_earned),
            "licenseNumber": facts.license_number,
            "term": facts.term,
            "role": facts.role,
            "source": None if facts.source is None else _source(facts.source),
        }
    )


def _evidence(piece: EvidenceFacts) -> Json:
    return _present(
        {
            "id": piece.id,
            "type": ["Evidence"],
            "name": piece.name,
            "description": piece.description,
            "narrative": piece.narrative,
            "genre": piece.genre,
            "audience": piece.audience,
        }
    )


def _result(result: ResultFacts) -> Json:
    return _present(
        {
            "type": ["Result"],
            "resultDescription": result.result_description,
            "value": result.value,
            "status": result.status,
            "achievedLevel": result.achieved_level,
        }
    )


def _source(source: SourceFacts) -> Json:
    return _present({"id": source.id, "type": ["Profile"], "name": source.name, "url": source.url})


def _status(entries: list[StatusFacts]) -> Any:
    written = [status_entry(entry) for entry in entries]
    return written[0] if len(written) == 1 else written


def _schema(entries: list[StatusFacts]) -> list[Json]:
    """Open Badges' own schema, unless two status entries stand there: it takes one, and would be claimed in vain."""
    return [] if len(entries) > 1 else [{"id": SCHEMA_JSON_LD, "type": "1EdTechJsonSchemaValidator2019"}]
