"""A ledger as fixed facts: one institution, Oak, with its keys and one award. Data, and nothing that acts."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec
from tests.registry.verification.badges import Json

from ledger import bitstring
from ledger.credentials.document import credential_for
from ledger.credentials.facts import CredentialFacts, IssuerFacts, StatusFacts
from ledger.credentials.identity import Identity
from ledger.errors import NotFound
from ledger.proofs import LocalSigner, secure
from ledger.proofs.jcs import canonical
from registry.projections import plain
from registry.verification.addresses import Addresses
from registry.verification.knowledge import KnownInstitution, KnownKey, RecordedAward, Standing

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
AWARDED = NOW - timedelta(days=30)
ADDRESSES = Addresses("http://localhost:8000", "http://localhost:8002")
OAK = "did:web:localhost%3A8000:issuers:oak"
OAK_ED, OAK_P256 = f"{OAK}#key_{'e' * 26}", f"{OAK}#key_{'p' * 26}"
SIGNER = LocalSigner("Ed25519", b"o" * 32, OAK_ED)
JWT_SIGNER = LocalSigner("P-256", b"o" * 32, OAK_P256)
CAPABILITY = "AbCdEfGhIjKlMnOpQrStUv"
AWARD = RecordedAward("awd_" + "a" * 26, 40)
LIST = "sl_" + "r" * 26
LIST_URL = f"http://localhost:8002/status-lists/{LIST}"
INDEX = 94567
NAME, EMAIL = "Ann Lee", "ann@learner.example"


def key(signer: LocalSigner, **changed: Any) -> KnownKey:
    """The key of a signer, added at position 3."""
    known = {
        "id": signer.verification_method,
        "algorithm": signer.algorithm,
        "public_key": signer.public_key,
        "added": AWARDED - timedelta(days=1),
        "added_position": 3,
    }
    return KnownKey(**{**known, **changed})


def unsigned(**changed: Any) -> Json:
    """Oak's award to Ann, as issuance builds it; `changed` are members of its facts."""
    facts = CredentialFacts(
        credential_url=f"{ADDRESSES.public_url}/credentials/{CAPABILITY}",
        name="Data Analytics",
        valid_from=AWARDED,
        valid_until=NOW + timedelta(days=300),
        awarded_date=AWARDED,
        issuer=IssuerFacts(did=OAK, name="Oak College", url="https://oak.example"),
        achievement={
            "id": f"{ADDRESSES.public_url}/achievements/ach_{'a' * 26}/versions/1",
            "type": ["Achievement"],
            "name": "Data Analytics",
            "description": "Reading tables.",
            "criteria": {"narrative": "Three tables were read."},
        },
        subject_id="urn:uuid:00000000-0000-4000-8000-000000000001",
        identity=Identity("email", EMAIL, "c2FsdA"),
        learner_name=NAME,
        status=[StatusFacts(list_url=LIST_URL, purpose="revocation", index=INDEX)],
        test=True,
    )
    return credential_for(msgspec.structs.replace(facts, **changed))


def signed(document: Json | None = None, signer: LocalSigner = SIGNER, created: datetime = AWARDED) -> Json:
    """A document with both embedded proofs."""
    return secure(unsigned() if document is None else document, signer, created)


def status_list(*revoked: int, purpose: str = "revocation", url: str = LIST_URL, issuer: str = OAK) -> Json:
    """A list in which these places are set, unsigned."""
    bits = bitstring.with_bits(bitstring.empty(), revoked)
    return bitstring.status_list_credential(url, issuer, purpose, bits, valid_from=AWARDED, ttl_milliseconds=1000)


class Facts:
    """`Knowledge` over what a test says. `lists` maps a list id to the list, or to None when revocation is away."""

    def __init__(self) -> None:
        self.oak = KnownInstitution(
            id="inst_" + "o" * 26,
            did=OAK,
            slug="oak",
            name="Oak College",
            active=True,
            keys=(key(SIGNER), key(JWT_SIGNER)),
        )
        self.documents: dict[str, tuple[Json, RecordedAward]] = {CAPABILITY: (signed(), AWARD)}
        self.standings: dict[str, Standing] = {AWARD.award_id: Standing(state="good")}
        self.lists: dict[str, Json | None] = {LIST: status_list()}

    def with_key(self, signer: LocalSigner = SIGNER, **changed: Any) -> "Facts":
        """The same facts, with one key changed."""
        keys = [key(signer, **changed) if one.id == signer.verification_method else one for one in self.oak.keys]
        self.oak = msgspec.structs.replace(self.oak, keys=tuple(keys))
        return self

    def stands(self, state: Literal["good", "suspended", "revoked"]) -> "Facts":
        """The same facts, with this standing of the award since position 77."""
        self.standings[AWARD.award_id] = Standing(state=state, effective=NOW - timedelta(days=1), position=77)
        return self

    async def institution_by_did(self, did: str) -> KnownInstitution | None:
        return self.oak if did == self.oak.did else None

    async def institution_named(self, name: str) -> KnownInstitution | None:
        return self.oak if self.oak.active and plain(name) == plain(self.oak.name) else None

    async def recorded(self, capability: str, unsecured: Json) -> RecordedAward | None:
        if capability not in self.documents:
            return None
        document, award = self.documents[capability]
        known = {name: member for name, member in document.items() if name != "proof"}
        return award if canonical(known) == canonical(unsecured) else None

    async def document(self, capability: str) -> Json | None:
        return self.documents[capability][0] if capability in self.documents else None

    async def standing(self, award_id: str) -> Standing | None:
        return self.standings.get(award_id)

    async def own_status_list(self, list_id: str) -> Json | None:
        if list_id not in self.lists:
            raise NotFound("There is no such status list.")
        return self.lists[list_id]
