"""The table of suites, how our documents are secured, and how the proofs of any document are judged.

The proofs of a document are independent and are judged each alone: *verified*, *wrong*, or *cannot say*, with the
reason. "One of them verifies" hides a spoilt proof; whoever asks decides over all of them. A proof that names previous
ones (a chain) signs those too, and holds only if they do.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

from ledger.proofs import data_integrity, eddsa_jcs, eddsa_rdfc
from ledger.proofs.data_integrity import Json
from ledger.proofs.keys import PublicKey, Signer
from ledger.proofs.problems import PARSING, VERIFICATION, CannotSay, ProofError
from ledger.proofs.screen import screen_json

PROOFS_LIMIT: Final = 16

Keys = Mapping[str, PublicKey | str]
"""The key behind each verification method, or the sentence why there is none."""


class Suite(msgspec.Struct, frozen=True):
    """One cryptosuite: how it signs, how it verifies, and whether its canonical form is cheap to make."""

    sign: Callable[..., Json]
    verify: Callable[..., None]
    is_cheap: bool


SUITES: Final[dict[str, Suite]] = {
    eddsa_rdfc.SUITE: Suite(eddsa_rdfc.sign, eddsa_rdfc.verify, is_cheap=False),
    eddsa_jcs.SUITE: Suite(eddsa_jcs.sign, eddsa_jcs.verify, is_cheap=True),
}
_OURS: Final = (eddsa_rdfc.SUITE, eddsa_jcs.SUITE)


class Outcome(StrEnum):
    """What is known about a proof."""

    VERIFIED = "verified"
    WRONG = "wrong"
    CANNOT_SAY = "cannot say"


class Verdict(msgspec.Struct, frozen=True):
    """The judgement of one proof: its place in the document's array, what it claims, and what was found.

    `problem` is the code of the standard where the outcome is not *verified*, and `detail` one sentence.
    """

    index: int
    suite: str
    method: str
    outcome: Outcome
    problem: str = ""
    detail: str = ""


def secure(document: Json, ed25519_signer: Signer, created: datetime) -> Json:
    """The document with our proofs, `eddsa-rdfc-2022` and `eddsa-jcs-2022`, in an array as Open Badges wants it.

    Deterministic. `created` is aware and comes from the event. Raises ProofError with a pointer for what would not be
    signed whole.
    """
    body = data_integrity.unsecured(document)
    plain = screen_json(body, own=True)  # once, for all suites
    return {**body, "proof": [SUITES[name].sign(body, ed25519_signer, created, plain=plain) for name in _OURS]}


def proofs_of(document: Json) -> list[Any]:
    """The document's proofs as they stand there; none, if it has none."""
    found = document.get("proof", [])
    return found if isinstance(found, list) else [found]


def methods_of(document: Json) -> list[str]:
    """The verification methods that the proofs name: what has to be resolved before they are judged."""
    named = [proof.get("verificationMethod") for proof in proofs_of(document) if isinstance(proof, dict)]
    return list(dict.fromkeys(method for method in named if isinstance(method, str)))


def judge(document: Json, keys: Keys, *, at: datetime | None = None) -> list[Verdict]:
    """The verdict on each proof, in the document's order. `at` (aware) is when it is asked: see `judgements`."""
    return sorted(judgements(document, keys, at=at), key=lambda verdict: verdict.index)


def judgements(document: Json, keys: Keys, *, at: datetime | None = None) -> Iterator[Verdict]:
    """The verdicts one by one, cheap suites first, so that a document which takes too long has those at least.

    With `at`, a proof of the future and an expired one are wrong. Says nothing about whose the keys are, nor whether
    they were good when they signed.
    """
    bench = _Bench(document, keys, at)
    proofs = proofs_of(document)
    for index in sorted(range(len(proofs)), key=lambda i: not _is_cheap(proofs[i])):
        yield bench.verdict(index)


class _Bench:
    """The judgement of one document's proofs; chains ask for earlier ones, so each is judged once."""

    def __init__(self, document: Json, keys: Keys, at: datetime | None) -> None:
        self._body = data_integrity.unsecured(document)
        self._proofs = proofs_of(document)
        self._keys, self._at = keys, at
        self._done: dict[int, Verdict] = {}
        self._open: set[int] = set()

    def verdict(self, index: int) -> Verdict:
        if index not in self._done:
            self._done[index] = self._judged(index)
        return self._done[index]

    def _judged(self, index: int) -> Verdict:
        proof = self._proofs[index]
        suite, method = (
            proof.get(name) if isinstance(proof, dict) else None for name in ("cryptosuite", "verificationMethod")
        )
        about = (index, suite if isinstance(suite, str) else "", method if isinstance(method, str) else "")
        try:
            self._verify(index, proof)
        except ProofError as error:
            outcome = Outcome.WRONG if error.says_wrong else Outcome.CANNOT_SAY
            return Verdict(*about, outcome, error.problem, error.detail)
        return Verdict(*about, Outcome.VERIFIED)

    def _verify(self, index: int, proof: Any) -> None:
        if index >= PROOFS_LIMIT:
            raise CannotSay(f"Only the first {PROOFS_LIMIT} proofs are judged.")
        if not isinstance(proof, dict):
            raise ProofError(PARSING, "A proof is an object.")
        suite = SUITES.get(str(proof.get("cryptosuite")))
        if proof.get("type") != data_integrity.TYPE or suite is None:
            raise CannotSay("The suite of this proof is not known here.")
        key = self._keys.get(str(proof.get("verificationMethod")), "No key was found for its verification method.")
        if isinstance(key, str):
            raise CannotSay(key)
        suite.verify(self._input(index, proof), proof, key, at=self._at)

    def _input(self, index: int, proof: Json) -> Json:
        """What this proof signs: the document and, in a chain, the previous proofs (VC Data Integrity 1.0 §4.4)."""
        if "previousProof" not in proof:
            return self._body
        wanted = proof["previousProof"] if isinstance(proof["previousProof"], list) else [proof["previousProof"]]
        named = {p["id"]: i for i, p in enumerate(self._proofs) if isinstance(p, dict) and isinstance(p.get("id"), str)}
        if index in self._open or not wanted or not all(isinstance(name, str) and name in named for name in wanted):
            raise ProofError(VERIFICATION, "The proof follows one that is not here, or itself.", "/previousProof")
        self._open.add(index)
        for name in wanted:
            before = self.verdict(named[name])
            if before.outcome is Outcome.WRONG:
                raise ProofError(VERIFICATION, "A proof before this one is wrong.", "/previousProof")
            if before.outcome is Outcome.CANNOT_SAY:
                raise CannotSay("A proof before this one cannot be judged.", "/previousProof")
        return {**self._body, "proof": [self._proofs[named[name]] for name in wanted]}


def _is_cheap(proof: Any) -> bool:
    suite = SUITES.get(str(proof.get("cryptosuite"))) if isinstance(proof, dict) else None
    return suite is not None and suite.is_cheap
