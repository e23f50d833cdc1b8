"""The checks that need cryptography: each proof on its own, and whether the contexts leave anything unsigned.

Rules. Every proof must hold; "one of them does" would hide a spoilt one. A proof that cannot be judged (a suite or key
that is not known here, a document that takes too long) has failed, and the sentence says that it was not judged.
Foreign documents are canonicalised in a worker that is killed at its deadline, once: where a proof's judgement ran into
it, the contexts are not tried again.
"""

from datetime import datetime
from typing import Any

import msgspec

from ledger.canonicaliser import Canonicaliser
from ledger.proofs import CannotSay, Outcome, ProofError, PublicKey, methods_of, proofs_of, vc_jwt
from ledger.proofs import Verdict as ProofVerdict
from ledger.proofs.eddsa_rdfc import SUITE as RDFC
from ledger.proofs.problems import TOO_SLOW
from registry.verification.content import told
from registry.verification.methods import Methods, Resolved
from registry.verification.origin import Signatory
from registry.verification.reading import Presented
from registry.verification.related import digest_faults
from registry.verification.verdict import Check, failed, passed


class Signatures(msgspec.Struct, frozen=True):
    """What was found: one check a proof, the check of the contexts, and who signed where that is known."""

    proofs: list[Check]
    contexts: Check
    signatories: list[Signatory]

    @property
    def sound(self) -> bool:
        return bool(self.proofs) and all(check.status == "passed" for check in self.proofs)


async def signatures_of(
    presented: Presented, methods: Methods, canonicaliser: Canonicaliser, now: datetime
) -> Signatures:
    """Judge every proof, or the JWT, and the contexts. Raises errors.Unavailable when too many documents wait."""
    if presented.jwt is not None:
        proof, resolved = await _jwt(presented.jwt, methods)
        contexts = await _contexts(presented, canonicaliser)
        return Signatures([proof], contexts, [one.signatory for one in resolved if one.signatory is not None])
    if not proofs_of(presented.document):
        nobody = failed("proofs", "There is no proof: anybody could have written this.", code="UNSECURED")
        return Signatures([nobody], await _contexts(presented, canonicaliser), [])
    found = {method: await methods.resolve(method) for method in methods_of(presented.document)}
    keys = {method: resolved.key for method, resolved in found.items()}
    verdicts = await canonicaliser.verify_proofs(presented.document, keys, at=now)
    return Signatures(
        [_proof(verdict) for verdict in verdicts],
        await _contexts_after(verdicts, presented, canonicaliser),
        [one.signatory for one in found.values() if one.signatory is not None],
    )


def _proof(verdict: ProofVerdict) -> Check:
    about: dict[str, Any] = {"proof": verdict.index, "cryptosuite": verdict.suite[:100] or None}
    if verdict.outcome is Outcome.VERIFIED:
        return passed("proofs", f"The signature by {_short(verdict.method)} is sound: nothing was changed.", **about)
    if verdict.outcome is Outcome.WRONG:
        return failed("proofs", verdict.detail, code=verdict.problem, **about)
    return failed("proofs", f"This proof could not be judged. {verdict.detail}", code=verdict.problem, **about)


async def _jwt(jwt: str, methods: Methods) -> tuple[Check, list[Resolved]]:
    found: list[Resolved] = []
    algorithm: str | None = None
    try:
        algorithm, method = str(vc_jwt.header_of(jwt)["alg"])[:100], vc_jwt.method_of(jwt)
        found.append(await methods.resolve(method))
        vc_jwt.verify(jwt, lambda _: _key(found[0]))
    except ProofError as error:
        sentence = error.detail if error.says_wrong else f"This proof could not be judged. {error.detail}"
        return failed("proofs", sentence, code=error.problem, proof=0, cryptosuite=algorithm), found
    sentence = f"The signature by {_short(method)} is sound: nothing was changed."
    return passed("proofs", sentence, proof=0, cryptosuite=algorithm), found


def _key(resolved: Resolved) -> PublicKey:
    if isinstance(resolved.key, str):
        raise CannotSay(resolved.key)
    return resolved.key


async def _contexts_after(verdicts: list[ProofVerdict], presented: Presented, canonicaliser: Canonicaliser) -> Check:
    if any(verdict.suite == RDFC and verdict.outcome is Outcome.VERIFIED for verdict in verdicts):
        return _understood(presented)
    slow = next((verdict for verdict in verdicts if verdict.problem == TOO_SLOW), None)
    if slow is not None:
        return failed("contexts", slow.detail, code=slow.problem)
    return await _contexts(presented, canonicaliser)


async def _contexts(presented: Presented, canonicaliser: Canonicaliser) -> Check:
    try:
        await canonicaliser.canonicalise(presented.unsecured)
    except ProofError as error:
        where = f" ({error.pointer})" if error.pointer else ""
        return failed("contexts", f"{error.detail}{where}", code=error.problem, errors=error.errors)
    return _understood(presented)


def _understood(presented: Presented) -> Check:
    if faults := digest_faults(presented.document):
        sentence = f"It relies on another text of a context than the one held here: {told(faults)}."
        return failed("contexts", sentence, code="CRYPTOGRAPHIC_SECURITY_ERROR", errors=tuple(faults))
    return passed("contexts", "Every term is defined by a context that this ledger knows; nothing was left unsigned.")


def _short(method: str) -> str:
    return method if len(method) <= 200 else f"{method[:200]}…"
