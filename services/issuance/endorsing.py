"""The signatures of endorsements, looked at before an achievement is published.

Rules. A did:key is its own key, and our institutions' keys are in the log: those signatures are checked, and a broken
one is refused. Nothing is fetched while publishing: a key that lies elsewhere leaves its signature unchecked, and says
so. Endorsements are foreign documents, so they are read in a worker that is killed at its deadline; it is started when
there is something to read, one at a time.
"""

from typing import Any

import msgspec

from issuance.achievements import PublishAchievement
from issuance.achievements.endorsements import Judged, issuer_of
from issuance.institutions import institution_of
from issuance.parts import Issuance, now
from issuance.sandboxes import tenants_of_slug
from ledger import dids, ids
from ledger.canonicaliser import Canonicaliser
from ledger.codec import Recorded
from ledger.errors import FieldError, Malformed
from ledger.proofs import CannotSay, Outcome, ProofError, PublicKey, methods_of, vc_jwt
from ledger.proofs.keys import from_multibase
from ledger.proofs.problems import VERIFICATION


class Judgement(msgspec.Struct, frozen=True):
    """What was found, and the streams of our institutions that it rests on with the version each had."""

    judged: list[Judged] = []
    endorsers: dict[str, int] = {}


async def judge(issuance: Issuance, tenant: str, wanted: PublishAchievement, names: tuple[str, str]) -> Judgement:
    """The judgement of every endorsement of a tenant's wish whose form was checked. Raises Malformed with a pointer to
    every signature that does not hold, Unavailable when too many wait."""
    if not wanted.endorsements and not wanted.endorsement_jwts:
        return Judgement()
    bench = _Bench(issuance, in_sandbox=ids.is_sandbox(tenant))
    if wanted.endorsements:
        async with issuance.judging, Canonicaliser() as canonicaliser:
            for index, document in enumerate(wanted.endorsements):
                await bench.embedded(document, f"/{names[0]}/{index}", canonicaliser)
    for index, jwt in enumerate(wanted.endorsement_jwts):
        await bench.jwt(jwt, f"/{names[1]}/{index}")
    if bench.faults:
        raise Malformed("Not every endorsement holds.", errors=bench.faults)
    return Judgement(bench.judged, bench.endorsers)


class _Bench:
    """The judgement of one wish's endorsements."""

    def __init__(self, issuance: Issuance, *, in_sandbox: bool) -> None:
        self._issuance, self._in_sandbox = issuance, in_sandbox
        self.judged: list[Judged] = []
        self.faults: list[FieldError] = []
        self.endorsers: dict[str, int] = {}

    async def embedded(self, document: dict[str, Any], at: str, canonicaliser: Canonicaliser) -> None:
        issuer = issuer_of(document)
        try:
            await canonicaliser.canonicalise(document)
        except ProofError as error:
            self.faults.append(FieldError(at + (error.pointer or ""), error.detail))
            return
        keys: dict[str, PublicKey | str] = {}
        for method in methods_of(document):
            try:
                keys[method] = await self._key(method, issuer)
            except ProofError as error:
                if error.says_wrong:
                    self.faults.append(FieldError(f"{at}/proof", error.detail))
                keys[method] = error.detail
        verdicts = await canonicaliser.verify_proofs(document, keys, at=now())
        many = isinstance(document["proof"], list)
        for verdict in verdicts:
            if verdict.outcome is Outcome.WRONG:
                self.faults.append(FieldError(f"{at}/proof/{verdict.index}" if many else f"{at}/proof", verdict.detail))
        checked = all(verdict.outcome is Outcome.VERIFIED for verdict in verdicts)
        self._found("embedded", document, checked=checked)

    async def jwt(self, jwt: str, at: str) -> None:
        document = vc_jwt.unverified(jwt)
        checked = False
        try:
            key = await self._key(vc_jwt.method_of(jwt), issuer_of(document))
            vc_jwt.verify(jwt, lambda _: key)
            checked = True
        except ProofError as error:
            if error.says_wrong:
                self.faults.append(FieldError(at, error.detail))
        self._found("jwt", document, checked=checked)

    def _found(self, form: Any, document: dict[str, Any], *, checked: bool) -> None:
        signature: Any = "checked" if checked else "not_checked"
        judged = Judged(form=form, id=document["id"], issuer=issuer_of(document), signature=signature)
        self.judged.append(judged)

    async def _key(self, method: str, issuer: str) -> PublicKey:
        """The key behind a method. Raises CannotSay where it lies elsewhere, ProofError where it is not the issuer's,
        or counts no more."""
        did, _, fragment = method.partition("#")
        own = dids.did_for(self._issuance.settings.public_url, "")
        if not did.startswith(("did:key:", own)):
            raise CannotSay("Its key lies elsewhere, and nothing is fetched while publishing.")
        if did != issuer:
            raise ProofError(VERIFICATION, "It is signed by somebody else than its issuer.")
        if did.startswith("did:key:"):
            return dids.key_of_did_key(method)
        return await self._own(did.removeprefix(own), fragment)

    async def _own(self, slug: str, key_id: str) -> PublicKey:
        history: list[Recorded] = []
        for tenant in tenants_of_slug(self._issuance.settings.server_secret, slug):
            history = history or await self._read(f"institution/{tenant}")
        institution = institution_of(history)
        if institution is not None and ids.is_sandbox(institution.id) and not self._in_sandbox:
            raise ProofError(VERIFICATION, "It is signed in a sandbox, so it proves nothing.")
        key = next((one for one in institution.keys if one.id == key_id), None) if institution else None
        if key is None:
            raise ProofError(VERIFICATION, "No institution of this registry has, or ever had, the key that it names.")
        if key.compromised is not None:
            raise ProofError(VERIFICATION, "The key that signed it was reported stolen, so it proves nothing.")
        return from_multibase(key.public_key)

    async def _read(self, stream: str) -> list[Recorded]:
        history = await self._issuance.store.load(stream)
        self.endorsers[stream] = len(history)
        return history
