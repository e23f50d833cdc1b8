"""The safe mode: what is refused before signing and judging, each with its pointer; and what is not."""

import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.proofs.samples import ED25519, HOSTILE_TEXTS, NOON, badge

from ledger import contexts
from ledger.proofs import CannotSay, ProofError, decode, eddsa_jcs, rdfc, secure
from ledger.proofs.jcs import is_plain
from ledger.proofs.screen import DEPTH_LIMIT, SIZE_LIMIT_BYTES, _reads_clean, _screen_value, screen_json

Json = dict[str, Any]
Change = Callable[[Json], Any]
SUBJECT = "credentialSubject"


def with_inline(term: Any) -> Change:
    def change(document: Json) -> None:
        document["@context"].append(term)

    return change


REFUSED: list[tuple[str, Change, str]] = [
    ("undefined term", lambda d: d.update(favourite="blue"), "/favourite"),
    ("undefined term above defined ones", lambda d: d[SUBJECT].update(x={"name": "n"}), f"/{SUBJECT}/x/name"),
    ("term of another type", lambda d: d["issuer"].update(identityHash="x"), "/issuer/identityHash"),
    ("name with a slash", lambda d: d.update({"a/b~c": "x"}), "/a~1b~0c"),
    ("unknown type", lambda d: d["type"].append("Fancy"), "/type"),
    ("unknown type of a part", lambda d: d["issuer"].update(type=["Profile", "Fancy"]), "/issuer/type"),
    ("relative id", lambda d: d["issuer"].update(id="issuers/1"), "/issuer/id"),
    ("empty id", lambda d: d["issuer"].update(id=""), "/issuer/id"),
    ("blank id", lambda d: d["issuer"].update(id="_:b0"), "/issuer/id"),
    ("bad escape in an IRI", lambda d: d.update(id="https://e.example/%zz"), "/id"),
    ("space in an IRI", lambda d: d.update(id="https://e.example/a b"), "/id"),
    ("two fragments", lambda d: d.update(id="https://e.example/#a#b"), "/id"),
    ("quote in an IRI", lambda d: d.update(id='https://e.example/">'), "/id"),
    ("brackets in an IRI", lambda d: d.update(id="https://e.example/[x]"), "/id"),
    ("two ports", lambda d: d.update(id="https://a:1:2/"), "/id"),
    ("number for an IRI", lambda d: d["issuer"].update(id=5), "/issuer/id"),
    ("boolean for an IRI", lambda d: d["credentialStatus"].update(id=True), "/credentialStatus/id"),
    ("null", lambda d: d.update(name=None), "/name"),
    ("null context", lambda d: d.update({"@context": None}), "/@context"),
    ("null among contexts", with_inline(None), "/@context/3"),
    ("empty object", lambda d: d[SUBJECT].update(source={}), f"/{SUBJECT}/source"),
    ("empty array", lambda d: d.update(evidence=[]), "/evidence"),
    ("nested arrays", lambda d: d[SUBJECT]["achievement"].update(tag=[["a"]]), f"/{SUBJECT}/achievement/tag/0"),
    ("nest", lambda d: d.update({"@nest": {"name": "x"}}), "/@nest"),
    ("reverse", lambda d: d.update({"@reverse": {"name": "x"}}), "/@reverse"),
    ("included", lambda d: d.update({"@included": []}), "/@included"),
    ("index", lambda d: d["issuer"].update({"@index": "1"}), "/issuer/@index"),
    ("graph", lambda d: d.update({"@graph": []}), "/@graph"),
    ("bad language tag", lambda d: d.update(name={"@value": "x", "@language": "es_ES"}), "/name/@language"),
    ("bad direction", lambda d: d.update(name={"@value": "x", "@direction": "up"}), "/name/@direction"),
    ("value with an id", lambda d: d.update(name={"@value": "x", "id": "urn:x"}), "/name/id"),
    ("control character", lambda d: d.update(name="a\x01b"), "/name"),
    ("delete", lambda d: d.update(name="a\x7fb"), "/name"),
    ("noncharacter", lambda d: d.update(name="a\ufffeb"), "/name"),
    ("lone surrogate", lambda d: d.update(name="a\ud800b"), "/name"),
    ("large integer", lambda d: d[SUBJECT].update(creditsEarned=2**53), f"/{SUBJECT}/creditsEarned"),
    ("not a number", lambda d: d[SUBJECT].update(creditsEarned=float("nan")), f"/{SUBJECT}/creditsEarned"),
    ("vocab", with_inline({"@vocab": "https://x.example/"}), "/@context/3/@vocab"),
    ("base", with_inline({"@base": "https://x.example/"}), "/@context/3/@base"),
    ("default language", with_inline({"@language": "en"}), "/@context/3/@language"),
    ("default direction", with_inline({"@direction": "rtl"}), "/@context/3/@direction"),
    ("import", with_inline({"@import": contexts.V2}), "/@context/3/@import"),
    ("nest container", with_inline({"x": {"@id": "https://x.example/x", "@nest": "y"}}), "/@context/3/x"),
    ("reverse term", with_inline({"x": {"@reverse": "https://x.example/x"}}), "/@context/3/x"),
    ("index map", with_inline({"x": {"@id": "https://x.example/x", "@container": "@index"}}), "/@context/3/x"),
    ("language map", with_inline({"x": {"@id": "https://x.example/x", "@container": "@language"}}), "/@context/3/x"),
    ("term named like a scheme", with_inline({"did": "https://x.example/"}), "/@context/3/did"),
    ("alias of a keyword", with_inline({"x": "@type"}), "/@context/3/x"),
    ("null term", with_inline({"name": None}), "/@context/3/name"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "pointer"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_would_be_signed_in_part_is_an_error_with_its_pointer(change: Change, pointer: str) -> None:
    document = badge()
    change(document)

    with pytest.raises(ProofError) as caught:
        rdfc.canonical(document)

    assert caught.value.pointer == pointer
    with pytest.raises(ProofError):
        secure(document, ED25519, NOON)


def test_an_unknown_context_is_named_and_is_no_verdict_on_the_signature() -> None:
    document = badge(**{"@context": [*contexts.AWARD, "https://evil.example/context"]})

    with pytest.raises(CannotSay, match=r"https://evil\.example/context"):
        rdfc.canonical(document)


def test_a_protected_term_cannot_be_defined_again() -> None:
    document = badge()
    document["@context"].append({"name": "https://evil.example/name"})

    with pytest.raises(ProofError, match="protected term name"):
        rdfc.canonical(document)


def test_a_purpose_that_is_no_term_is_an_error() -> None:
    proof = {"type": "DataIntegrityProof", "cryptosuite": "x", "proofPurpose": "worldDomination"}

    with pytest.raises(ProofError) as caught:
        rdfc.canonical(badge(proof=[proof]))

    assert caught.value.pointer == "/proof/0/proofPurpose"


def test_foreign_documents_may_define_plain_terms_and_use_other_iris() -> None:
    document = badge()
    document["@context"].append({"x": "https://x.example/x", "y": {"@id": "https://x.example/y", "@type": "@id"}})
    document |= {"x": "text", "y": ["https://ü.example/ß", "ftp://x.example/", "tag:x.example,2026:y"]}

    quads = rdfc.canonical(document).decode()

    assert '<https://x.example/x> "text" .' in quads
    assert "<https://ü.example/ß>" in quads
    for refused in (secure, lambda *_: rdfc.canonical(document, own=True)):
        with pytest.raises(ProofError):
            refused(document, ED25519, NOON)


def test_our_own_iris_are_ascii() -> None:
    with pytest.raises(ProofError) as caught:
        rdfc.canonical(badge(id="https://ü.example/"), own=True)

    assert caught.value.pointer == "/id"


def test_our_own_fractions_are_credits() -> None:
    document = badge()
    document["credentialSubject"]["creditsEarned"] = 0.125

    assert b"1.25E-1" in rdfc.canonical(document)
    for sign in (eddsa_jcs.sign, secure):
        with pytest.raises(ProofError) as caught:
            sign(document, ED25519, NOON)
        assert caught.value.pointer == "/credentialSubject/creditsEarned"


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_hostile_texts_are_signed_as_they_are(text: str) -> None:
    signed = secure(badge(name=text, description=f"{text}{text}"), ED25519, NOON)

    assert signed["name"] == text


def test_a_token_like_text_in_a_document_hides_nothing() -> None:
    document = badge(name="zq000000000000000000000000:1qz", favourite="blue")

    with pytest.raises(ProofError) as caught:
        rdfc.canonical(document)

    assert caught.value.pointer == "/favourite"


def test_an_embedded_endorsement_keeps_its_own_contexts() -> None:
    endorsement = {
        "@context": [contexts.V2, contexts.OPEN_BADGES],
        "id": "https://e.example/endorsements/1",
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": "Endorsed",
        "issuer": {"id": "https://e.example/issuers/1", "type": ["Profile"], "name": "Endorser"},
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {
            "id": "https://north.example/",
            "type": ["EndorsementSubject"],
            "endorsementComment": "Good.",
        },
    }

    quads = rdfc.canonical(badge(endorsement=[secure(endorsement, ED25519, NOON)])).decode()

    assert '"Good."' in quads
    assert quads.count("<https://w3id.org/security#proofValue>") == 2


def test_literal_json_is_signed_whole() -> None:
    schema = {"id": "https://e.example/s", "type": "JsonSchema", "jsonSchema": {"type": "object", "required": ["a"]}}

    assert rb"{\"required\":[\"a\"],\"type\":\"object\"}" in rdfc.canonical(badge(credentialSchema=[schema]))


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":1}}',
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":1e999}',
        b'{"a":9007199254740992}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        b"\xef\xbb\xbf{}",
        b"{} {}",
        b"{'a':1}",
        b'{"a":"\\u0001"}',
        b"",
        b"[" * 40 + b"]" * 40,
        b"[" * 100_000,
    ],
    ids=lambda text: text[:24].decode("latin1"),
)
def test_text_that_parsers_read_differently_is_refused(text: bytes) -> None:
    with pytest.raises(ProofError):
        decode(text)


def test_strict_text_is_read() -> None:
    document = badge()

    assert decode(json.dumps(document).encode()) == document
    assert decode(b'[1.5, null, true, "\\u00e9 \\ud83d\\ude00"]') == [1.5, None, True, "é 😀"]


@settings(max_examples=300)
@given(
    st.recursive(
        st.none() | st.integers(-(2**54), 2**54) | st.sampled_from([0.5, 1e-3, math.inf]) | st.text(st.characters()),
        lambda value: st.lists(value, max_size=3) | st.dictionaries(st.text(st.characters()), value, max_size=3),
        max_leaves=6,
    )
)
def test_the_quick_look_lets_nothing_through_that_the_long_one_refuses(value: Any) -> None:
    if is_plain(value, DEPTH_LIMIT) and _reads_clean(value):
        _screen_value(value, (), own=True, nulls=False)


@pytest.mark.parametrize("end", ["x", "", {}, [], 5, True], ids=repr)
def test_the_quick_look_goes_as_deep_as_the_long_one(end: Any) -> None:
    value = end
    for levels in range(DEPTH_LIMIT + 3):
        assert is_plain(value, DEPTH_LIMIT) == (levels <= DEPTH_LIMIT)
        if levels > DEPTH_LIMIT:
            with pytest.raises(CannotSay):
                screen_json(value)
        value = [value] if levels % 2 else {"x": value}


def test_bounds_are_kept() -> None:
    with pytest.raises(CannotSay, match="bytes"):
        rdfc.canonical(badge(name="x" * SIZE_LIMIT_BYTES))
    with pytest.raises(CannotSay, match="bytes"):
        decode(b'"' + b"x" * SIZE_LIMIT_BYTES + b'"')
    deep: Json = {"id": "urn:x"}
    for _ in range(DEPTH_LIMIT):
        deep = {"parentOrg": deep}
    with pytest.raises(CannotSay, match="levels"):
        rdfc.canonical(badge(issuer=deep))
    many = badge()
    many["credentialSubject"]["achievement"]["tag"] = [f"tag {n}" for n in range(2_001)]
    with pytest.raises(CannotSay, match="statements"):
        rdfc.canonical(many)
