"""Endorsements for tests, signed by a did:key of their own."""

from datetime import UTC, datetime
from typing import Any

from ledger import contexts, dids
from ledger.proofs import LocalSigner, secure, vc_jwt

Json = dict[str, Any]
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
ABOUT = "https://guild.example/achievements/data"


def by_did_key(algorithm: str = "Ed25519", seed: int = 7) -> LocalSigner:
    """A key that is its own issuer: the DID, and `<did>#<key>` as its method."""
    secret = bytes(range(seed, seed + 32))
    did = dids.did_key(LocalSigner(algorithm, secret, "").key)
    return LocalSigner(algorithm, secret, f"{did}#{did.removeprefix('did:key:')}")


def endorsement(issuer: str, about: str = ABOUT, **varied: Any) -> Json:
    """An EndorsementCredential without a proof."""
    return {
        "@context": list(contexts.AWARD[:2]),
        "id": "https://guild.example/endorsements/1",
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": "Endorsement of the Guild",
        "issuer": {"id": issuer, "type": ["Profile"], "name": "Guild of Data Workers (DEMO)"},
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {
            "id": about,
            "type": ["EndorsementSubject"],
            "endorsementComment": "Our members hire by **this** badge.",
        },
    } | varied


def endorsed(signer: LocalSigner | None = None, **varied: Any) -> Json:
    """An EndorsementCredential with both embedded proofs."""
    by = signer or by_did_key()
    return secure(endorsement(by.verification_method.partition("#")[0], **varied), by, NOON)


def endorsed_jwt(**varied: Any) -> str:
    """An EndorsementCredential as a compact JWT."""
    by = by_did_key("P-256")
    return vc_jwt.sign(endorsement(by.verification_method.partition("#")[0], **varied), by)
