"""Documents of many shapes, and the same shape filled again with other values: what plans are tested on.

Values come from small pools, so that ids, tags and whole nodes often become equal; the pools hold what breaks writers.
"""

import copy
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from hypothesis import strategies as st
from tests.credentials import samples as published
from tests.proofs.samples import ED25519, HOSTILE_TEXTS, NOON, badge, vectors

from ledger import contexts
from ledger.bitstring import status_list_credential
from ledger.credentials.document import credential_for
from ledger.credentials.facts import CredentialFacts, EvidenceFacts, IssuerFacts, ResultFacts, SourceFacts, StatusFacts
from ledger.credentials.identity import Identity
from ledger.proofs import secure
from ledger.proofs.lexical import is_kept_iri

Json = dict[str, Any]

FIXED: Final = frozenset({"@context", "type", "@type", "@language", "@direction", "proofPurpose", "jsonSchema"})
WORDS: Final = (
    *HOSTILE_TEXTS,
    "a",
    "b",
    "null",
    "\\b and \\f",
    "_:c14n1",
    '"@value"',
    "א ב ג",
    "<https://e.example/1>",
)
ADDRESSES: Final = (
    "https://e.example/1",
    "https://e.example/1#a",
    "https://e.example/1/%C3%BC?q=_:c14n1",
    "http://e.example:8080/",
    "urn:uuid:0b5a2f3e-8f6c-4f6e-9d5b-0f8c6f3b2a11",
    "did:web:e.example%3A8000:issuers:a#key",
    "mailto:a@e.example",
    "data:,_:c14n0",
)
CREDITS: Final = (0.07, 0.56, 4.5, 8.2, 9999.99)
TEXTS: Final = st.sampled_from(WORDS) | st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=12
)
KEPT: Final = st.sampled_from(ADDRESSES)
NUMBERS: Final = st.sampled_from(CREDITS)
INLINE: Final = {
    "plain": "https://x.example/plain",
    "link": {"@id": "https://x.example/link", "@type": "@id"},
    "row": {"@id": "https://x.example/row", "@container": "@list"},
    "links": {"@id": "https://x.example/links", "@container": "@list", "@type": "@id"},
    "inner": {"@id": "https://x.example/inner", "@container": "@graph"},
    "exact": {"@id": "https://x.example/exact", "@type": "http://www.w3.org/2001/XMLSchema#double"},
}


SIGNED: Final = secure(badge(), ED25519, NOON)


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


@st.composite
def credentials(draw: st.DrawFn) -> Json:
    """What issuance builds, with each optional part there or not."""
    results = st.builds(
        ResultFacts,
        value=maybe(TEXTS),
        status=maybe(st.just("Completed")),
        result_description=maybe(KEPT),
        achieved_level=maybe(KEPT),
    ).filter(lambda result: result != ResultFacts())
    evidence = st.builds(
        EvidenceFacts, id=maybe(KEPT), name=TEXTS, narrative=maybe(TEXTS), genre=maybe(TEXTS), audience=maybe(TEXTS)
    )
    lists = "https://status.example/status-lists/sl"
    return credential_for(
        CredentialFacts(
            credential_url=draw(KEPT),
            name=draw(TEXTS),
            valid_from=NOON,
            valid_until=draw(maybe(st.just(NOON + timedelta(days=9)))),
            awarded_date=draw(maybe(st.just(NOON))),
            issuer=IssuerFacts(
                did="did:web:e.example", name=draw(TEXTS), url="https://e.example", email=draw(maybe(TEXTS))
            ),
            achievement=draw(achievements()),
            subject_id=draw(KEPT),
            identity=draw(maybe(st.builds(Identity, kind=st.just("email"), value=st.just("a@e.example"), salt=TEXTS))),
            learner_name=draw(maybe(TEXTS)),
            narrative=draw(maybe(TEXTS)),
            evidence=draw(st.lists(evidence, max_size=2)),
            results=draw(st.lists(results, max_size=3)),
            credits_earned=draw(maybe(st.sampled_from(["0.07", "4.50", "6", "8.2"]))),
            license_number=draw(maybe(TEXTS)),
            source=draw(maybe(st.builds(SourceFacts, id=KEPT, name=TEXTS))),
            status=[
                StatusFacts(list_url=lists, purpose=purpose, index=7)
                for purpose in draw(st.sampled_from([[], ["revocation"], ["revocation", "suspension"]]))
            ],
            test=draw(st.booleans()),
        )
    )


@st.composite
def achievements(draw: st.DrawFn) -> Json:
    """Open Badges achievements: alignments, result descriptions with lists, endorsements whose proofs are graphs."""
    achievement: Json = {"type": ["Achievement"], "name": draw(TEXTS), "criteria": {"narrative": draw(TEXTS)}}
    alignment = st.fixed_dictionaries({"type": st.just(["Alignment"]), "targetName": TEXTS, "targetUrl": KEPT})
    description = st.fixed_dictionaries(
        {"type": st.just(["ResultDescription"]), "name": TEXTS, "resultType": st.just("GradePoint")},
        optional={"id": KEPT, "allowedValue": st.lists(TEXTS, min_size=1, max_size=3)},
    )
    optional = {
        "id": KEPT,
        "tag": st.lists(TEXTS, min_size=1, max_size=3),
        "alignment": st.lists(alignment, min_size=1, max_size=2),
        "resultDescription": st.lists(description, min_size=1, max_size=2),
        "creditsAvailable": NUMBERS | st.integers(0, 99),
        "endorsement": st.lists(endorsements(), min_size=1, max_size=2),
    }
    for name, values in optional.items():
        if draw(st.booleans()):
            achievement[name] = draw(values)
    return achievement


@st.composite
def endorsements(draw: st.DrawFn) -> Json:
    """An endorsement with contexts and, perhaps, proofs of its own: each of these is a named graph."""
    endorsement: Json = {
        "@context": [contexts.V2, contexts.OPEN_BADGES],
        "id": draw(KEPT),
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": draw(TEXTS),
        "issuer": {"id": draw(KEPT), "type": ["Profile"], "name": draw(TEXTS)},
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": draw(KEPT), "type": ["EndorsementSubject"], "endorsementComment": draw(TEXTS)},
    }
    return {**endorsement, "proof": SIGNED["proof"]} if draw(st.booleans()) else endorsement


@st.composite
def foreign(draw: st.DrawFn) -> Json:
    """What others may send: terms of their own, lists, graphs, text directions, literal JSON, numbers anywhere."""
    document = badge(**{"@context": [*contexts.AWARD, INLINE]})
    value = TEXTS | st.integers(-9, 99) | st.booleans() | st.sampled_from([0.5, 8.2])
    text = st.fixed_dictionaries(
        {"@value": TEXTS, "@language": st.sampled_from(["ar", "EN-gb"])},
        optional={"@direction": st.sampled_from(["ltr", "rtl"])},
    )
    node = st.fixed_dictionaries({"plain": value}, optional={"id": KEPT, "link": KEPT})
    optional = {
        "plain": value | st.lists(value, min_size=1, max_size=3) | text,
        "exact": value,
        "link": KEPT | node,
        "row": st.lists(value | node, min_size=1, max_size=3),
        "links": st.lists(KEPT, min_size=1, max_size=3),
        "inner": node | st.lists(node, min_size=1, max_size=2),
        "description": text,
        "termsOfUse": st.lists(node.map(lambda n: {**n, "type": "IssuerPolicy"}), max_size=0),
        "credentialSchema": st.just([{"id": "https://e.example/s", "type": "JsonSchema", "jsonSchema": {"a": ["b"]}}]),
    }
    for name, values in optional.items():
        if draw(st.booleans()) and (drawn := draw(values)):
            document[name] = drawn
    return document


def others() -> list[Json]:
    """Status lists, proof configurations, and what W3C and 1EdTech published."""
    eddsa = vectors("eddsa.json")
    lists = [
        status_list_credential(
            "https://s.example/l", "did:web:e.example", "revocation", bytes(16_384), valid_from=at, ttl_milliseconds=9
        )
        for at in (NOON, datetime(2027, 1, 1, tzinfo=UTC))
    ]
    proof = SIGNED["proof"][0]
    options = {
        "expires": "2027-01-01T00:00:00Z",
        "nonce": "n",
        "domain": "d",
        "id": "urn:uuid:1",
        "previousProof": "urn:x",
    }
    return [
        *lists,
        {"@context": list(contexts.AWARD), **proof},
        {"@context": list(contexts.AWARD), **proof, **options},
        *(eddsa[suite]["document"] for suite in ("eddsa-rdfc-2022", "eddsa-jcs-2022")),
        eddsa["proof_chain"],
        published.basic(),
        published.skill_assertion(),
        badge(),
    ]


def documents() -> st.SearchStrategy[Json]:
    return credentials() | foreign() | st.sampled_from(others()).map(copy.deepcopy)


def refilled(document: Json, seed: int) -> Json:
    """The same shape with other values: texts for texts, addresses for addresses, numbers for numbers.

    A document has few different values, one text and one address at the least: ids, tags and whole nodes become equal.
    """
    random = Random(seed)  # noqa: S311  # values to test with
    texts = random.choices([*WORDS, *(f"text {number}" for number in range(9))], k=random.choice([1, 2, 4, 12]))
    addresses = random.choices(
        [*ADDRESSES, *(f"urn:x:{number}" for number in range(9))], k=random.choice([1, 2, 4, 12])
    )

    def other(value: Any, name: str) -> Any:
        if name in FIXED or isinstance(value, bool):
            return value
        if isinstance(value, dict):
            return {key: other(member, key) for key, member in value.items()}
        if isinstance(value, list):
            return [other(member, name) for member in value]
        if isinstance(value, str):
            return random.choice(addresses if is_kept_iri(value) else texts)
        return random.randrange(99) if isinstance(value, int) else random.choice(CREDITS)

    return {name: other(member, name) for name, member in document.items()}
