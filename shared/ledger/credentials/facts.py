"""The facts that make one credential: an event and its opened values, in the words of the documents they become.

Rules. Times are aware, in UTC when written. Numbers that the ledger counts (credits) are decimal strings. Texts are as
the institution gave them; who reads them in has checked lengths, characters and URIs.
"""

from datetime import datetime
from typing import Any

import msgspec

from ledger.credentials.identity import Identity


class IssuerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The institution as its profile read at the award's `profile_version`. `image` is the URL of its logo."""

    did: str
    name: str
    url: str
    email: str | None = None
    image: str | None = None
    description: str | None = None


class EvidenceFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One piece of evidence: a page (`id`, a URL) or a description of one; `narrative` may be Markdown."""

    id: str | None = None
    name: str | None = None
    description: str | None = None
    narrative: str | None = None
    genre: str | None = None
    audience: str | None = None


class ResultFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One result; `result_description` and `achieved_level` are ids inside the awarded achievement."""

    result_description: str | None = None
    value: str | None = None
    status: str | None = None
    achieved_level: str | None = None


class SourceFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who assessed on the issuer's behalf."""

    id: str
    name: str | None = None
    url: str | None = None


class StatusFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One place in one status list: the list's URL, `revocation` or `suspension`, and the index."""

    list_url: str
    purpose: str
    index: int


class CredentialFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one unsigned credential is made of.

    `credential_url` is its id. `achievement` is the Open Badges object as published, with its own id and version.
    `subject_id` is the learner's DID or a `urn:uuid:` pseudonym. `status` has one entry (profile `certified`) or two
    (`full`). `test`, `sandbox` and `demo` mark what the ledger signs in test mode, in sandboxes and for invented
    institutions.
    """

    credential_url: str
    name: str
    valid_from: datetime
    valid_until: datetime | None = None
    awarded_date: datetime | None = None
    issuer: IssuerFacts
    achievement: dict[str, Any]
    subject_id: str
    identity: Identity | None = None
    learner_name: str | None = None
    narrative: str | None = None
    evidence: list[EvidenceFacts] = []
    results: list[ResultFacts] = []
    credits_earned: str | None = None
    license_number: str | None = None
    term: str | None = None
    role: str | None = None
    source: SourceFacts | None = None
    status: list[StatusFacts] = []
    test: bool = False
    sandbox: bool = False
    demo: bool = False
