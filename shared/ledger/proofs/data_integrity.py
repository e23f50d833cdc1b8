"""What both EdDSA suites share (VC Data Integrity 1.0; Data Integrity EdDSA Cryptosuites 1.0).

Signed is SHA-256(canonical proof configuration) ‖ SHA-256(canonical document without that proof), in this order. The
configuration is the proof without `proofValue`, as it was received: `expires`, `nonce`, `domain`, `challenge` and
`previousProof` are signed too. `proofValue` is `z` and base58btc of 64 bytes.
"""

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ledger.proofs import base58
from ledger.proofs.keys import ED25519, PublicKey, Signer
from ledger.proofs.problems import GENERATION, VERIFICATION, CannotSay, ProofError

TYPE: Final = "DataIntegrityProof"
PURPOSE: Final = "assertionMethod"
CLOCK_SKEW: Final = timedelta(minutes=5)

Json = dict[str, Any]

_STAMP: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})")


def configuration(suite: str, signer: Signer, created: datetime, purpose: str) -> Json:
    """The options of a new proof. `created` is aware and comes from the event. Raises ProofError for another key."""
    if signer.algorithm != ED25519:
        raise ProofError(GENERATION, f"{suite} takes an Ed25519 key, not {signer.algorithm}.")
    if created.tzinfo is None:
        raise ValueError("created must have a zone")
    return {
        "type": TYPE,
        "cryptosuite": suite,
        "created": created.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "verificationMethod": signer.verification_method,
        "proofPurpose": purpose,
    }


def unsecured(document: Json) -> Json:
    """The document without its proofs."""
    return {name: member for name, member in document.items() if name != "proof"}


def hash_data(configuration: bytes, document: bytes) -> bytes:
    """The 64 bytes that are signed, from the two canonical forms."""
    return hashlib.sha256(configuration).digest() + hashlib.sha256(document).digest()


def proof_value(signer: Signer, data: bytes) -> str:
    """The signature over `data` as multibase."""
    return base58.to_multibase(signer.sign(data))


def received(proof: Json, suite: str, *, purpose: str = PURPOSE, at: datetime | None = None) -> Json:
    """The configuration of a proof that was received: the proof without `proofValue`.

    Checks type, suite, purpose and method; with `at` (aware) also that `created` is not in the future and `expires`
    not in the past. Raises ProofError.
    """
    if proof.get("type") != TYPE or proof.get("cryptosuite") != suite:
        raise _wrong(f"The proof is no {TYPE} of the suite {suite}.", "/type")
    if not isinstance(proof.get("verificationMethod"), str):
        raise _wrong("The proof names no verification method.", "/verificationMethod")
    if proof.get("proofPurpose") != purpose:
        raise _wrong(f"The proof is for another purpose than {purpose}.", "/proofPurpose")
    created, expires = (_time(proof, name) for name in ("created", "expires"))
    if at is not None and created is not None and created > at + CLOCK_SKEW:
        raise _wrong("The proof says that it was made in the future.", "/created")
    if at is not None and expires is not None and expires <= at:
        raise _wrong("The proof has expired.", "/expires")
    return {name: member for name, member in proof.items() if name != "proofValue"}


def check_signature(proof: Json, key: PublicKey, data: bytes) -> None:
    """Raises ProofError unless `proofValue` is the key's signature over `data`, CannotSay for a key of another kind."""
    if key.algorithm != ED25519:
        raise CannotSay(f"An EdDSA proof needs an Ed25519 key; the method holds one for {key.algorithm}.")
    value = proof.get("proofValue")
    try:
        signature = base58.from_multibase(value) if isinstance(value, str) else b""
    except ValueError as error:
        raise _wrong(f"The proof value is malformed: {error}.", "/proofValue") from error
    if len(signature) != 64:
        raise _wrong(f"An Ed25519 signature has 64 bytes, not {len(signature)}.", "/proofValue")
    if not key.verifies(signature, data):
        raise _wrong("The signature is not this key's over this document: one of them was changed.")


def _time(proof: Json, name: str) -> datetime | None:
    text = proof.get(name)
    if text is None:
        return None
    try:
        if isinstance(text, str) and _STAMP.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:  # the form is right, the day is not
        pass
    raise _wrong(f"{name} is no time with a zone, such as 2026-01-31T12:00:00Z.", f"/{name}")


def _wrong(detail: str, pointer: str | None = None) -> ProofError:
    return ProofError(VERIFICATION, detail, pointer)
