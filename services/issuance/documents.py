"""From an award's event and its opened values to the unsigned credential: pure, the same bytes for ever.

What signs and stores it is `issuance.signing`. The addresses are the ledger's, fixed by its first event.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from issuance.institutions import Institution
from ledger import errors, ids
from ledger.codec import Recorded, parse_time
from ledger.credentials.document import credential_for
from ledger.credentials.facts import CredentialFacts, EvidenceFacts, IssuerFacts, ResultFacts, StatusFacts
from ledger.credentials.identity import Identity
from ledger.events import AchievementPublished, DocumentIssued
from ledger.proofs import jcs, rdfc
from ledger.proofs.problems import ProofError


def signable_digest(document: dict[str, Any]) -> bytes:
    """What an event commits to: SHA-256 over the JCS form of the credential without proofs.

    Raises Refused for a credential that could not be signed, such as one that is too large: nothing may be recorded
    that can never be kept.
    """
    try:
        rdfc.canonical(document, own=True)
    except ProofError as error:
        raise errors.Refused(f"The credential could not be signed: {error.detail}") from error
    return hashlib.sha256(jcs.canonical(document)).digest()


class Addresses(msgspec.Struct, frozen=True):
    """The public addresses that documents are made from, without a trailing slash, and whether they are for tests."""

    public_url: str
    status_url: str
    test_mode: bool

    def is_test(self, tenant: str) -> bool:
        """Whether what this tenant does says TEST: everybody's on a ledger in test mode, a sandbox's anywhere."""
        return self.test_mode or ids.is_sandbox(tenant)

    def credential_url(self, capability: str) -> str:
        return f"{self.public_url}/credentials/{capability}"

    def award_url(self, award_id: str) -> str:
        return f"{self.public_url}/v1/awards/{award_id}"

    def achievement_url(self, achievement_id: str, version: int) -> str:
        return f"{self.public_url}/achievements/{achievement_id}/versions/{version}"

    def list_url(self, list_id: str) -> str:
        return f"{self.status_url}/status-lists/{list_id}"

    def unsigned(
        self, event: DocumentIssued, personal: Mapping[str, Any], institution: Institution, published: Recorded
    ) -> dict[str, Any]:
        """The credential without proofs; `institution` as of the event's profile version."""
        achievement = published.event
        if not isinstance(achievement, AchievementPublished):
            raise TypeError("an award pins an achievement.published event")
        return credential_for(self._facts(event, personal, institution, achievement.document))

    def _facts(
        self, event: DocumentIssued, personal: Mapping[str, Any], institution: Institution, achievement: dict[str, Any]
    ) -> CredentialFacts:
        identity = personal["identity"]
        return CredentialFacts(
            credential_url=self.credential_url(personal["capability"]),
            name=achievement["name"],
            valid_from=parse_time(event.valid_from),
            valid_until=parse_time(event.valid_until) if event.valid_until else None,
            awarded_date=parse_time(event.awarded_date),
            issuer=_issuer(institution),
            achievement=achievement,
            subject_id=identity["subject_id"],
            identity=Identity(identity["kind"], identity["value"], identity["salt"], identity["hashed"]),
            learner_name=personal.get("name"),
            narrative=personal.get("narrative"),
            evidence=msgspec.convert(personal.get("evidence", []), list[EvidenceFacts]),
            results=msgspec.convert(personal.get("results", []), list[ResultFacts]),
            credits_earned=personal.get("credits_earned"),
            license_number=personal.get("license_number"),
            term=personal.get("term"),
            status=[
                StatusFacts(list_url=self.list_url(s.list_id), purpose=s.purpose, index=s.index) for s in event.status
            ],
            test=self.test_mode,
            sandbox=ids.is_sandbox(institution.id),
            demo=institution.demo,
        )


def _issuer(institution: Institution) -> IssuerFacts:
    return IssuerFacts(
        did=institution.did,
        name=institution.name,
        url=institution.url,
        email=institution.email,
        description=institution.description,
    )
