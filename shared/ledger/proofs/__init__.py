"""Proofs: how credentials and status lists are signed, and how anybody's are judged. ● Pure.

    signed = secure(document, signer, created)                # eddsa-rdfc-2022 and eddsa-jcs-2022
    token = vc_jwt.sign(document, p256_signer)                # vc+jwt, ES256
    keys = {method: resolved(method) for method in methods_of(signed)}
    for verdict in judge(signed, keys, at=now): ...           # verified · wrong · cannot say

One file a suite; `suites.SUITES` lists them. Foreign documents are judged through `ledger.canonicaliser`, since a graph
can be made that takes for ever. Nothing is fetched: contexts are pinned (`ledger.contexts`), keys are arguments.
"""

from ledger.proofs import vc_jwt
from ledger.proofs.keys import LocalSigner, PublicKey, Signer
from ledger.proofs.problems import CannotSay, ProofError
from ledger.proofs.screen import decode
from ledger.proofs.suites import (
    SUITES,
    Keys,
    Outcome,
    Suite,
    Verdict,
    judge,
    judgements,
    methods_of,
    proofs_of,
    secure,
)
from ledger.proofs.vc_jwt import document_of_jwt

__all__ = [
    "SUITES",
    "CannotSay",
    "Keys",
    "LocalSigner",
    "Outcome",
    "ProofError",
    "PublicKey",
    "Signer",
    "Suite",
    "Verdict",
    "decode",
    "document_of_jwt",
    "judge",
    "judgements",
    "methods_of",
    "proofs_of",
    "secure",
    "vc_jwt",
]
