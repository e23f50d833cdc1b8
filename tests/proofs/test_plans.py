"""Plans: the bytes of the general path, always; when they have no answer, and how a wrong one is found out."""

import os
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import pyoxigraph as ox
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from tests.proofs.documents import Json, documents, refilled
from tests.proofs.peers import by_pyld
from tests.proofs.samples import badge

from ledger import contexts
from ledger.proofs import ProofError, lexical, rdfc, terms
from ledger.proofs.lines import Lines
from ledger.proofs.plan import Plan, Unplannable, Way, compiled
from ledger.proofs.plans import Count, Plans, _Kept
from ledger.proofs.shapes import shape_of
from ledger.proofs.skeleton import taken_apart

# Four documents each. SCALE=full .venv/bin/python -m pytest tests/proofs/test_plans.py compares tens of thousands.
EXAMPLES: Final = 6_000 if os.environ.get("SCALE") == "full" else 100


def plan_of(document: Json) -> Plan:
    skeleton, _ = taken_apart(document)
    return compiled(skeleton, shape_of(skeleton))


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents(), st.integers(0, 2**32))
def test_a_plan_gives_the_bytes_of_the_general_path_and_of_pyld(document: Json, seed: int) -> None:
    """A document, and three of the same shape with other values."""
    try:
        plan = plan_of(document)
    except Unplannable as no:
        event(no.cause)
        return
    fills = [document, *(refilled(document, seed + number) for number in range(3))]
    for fill in fills:
        leaves = taken_apart(fill)[1]
        filled, way = plan.filled(leaves)
        event(way)
        assert filled == rdfc.general(fill)
        plan = plan.arranged(leaves)
    if seed % 4 == 0:
        assert filled == by_pyld(fills[-1])


def test_one_of_our_own_is_compiled_at_once_and_then_filled() -> None:
    plans = Plans()

    for name in ("one", "two", "three"):
        assert rdfc.canonical(badge(name=name), own=True, plans=plans) == rdfc.general(badge(name=name))

    assert plans.counts == {Way.NEW: 1, Count.COMPILED: 1, Way.FILLED: 2, Count.CHECKED: 2}


def test_what_others_send_is_compiled_at_second_sight() -> None:
    plans = Plans()

    for tags in (["a"], ["a", "b"], ["b"], ["c"], ["a", "b", "c"]):
        rdfc.canonical(with_tags(*tags), plans=plans)

    assert plans.counts == {Way.NEW: 4, Count.COMPILED: 1, Way.FILLED: 1, Count.CHECKED: 2}


def test_plans_are_kept_in_bounds_and_the_unused_go_first() -> None:
    plans = Plans(limit=2)
    one, two, three = with_tags("a"), with_tags("a", "b"), with_tags("a", "b", "c")

    for document in (one, two, one, three, one):
        rdfc.canonical(document, own=True, plans=plans)
    assert plans.counts[Way.FILLED] == 2
    rdfc.canonical(two, own=True, plans=plans)

    assert plans.counts[Way.NEW] == 4


def with_results(*results: Json) -> Json:
    document = badge()
    document["credentialSubject"]["result"] = [{"type": ["Result"], **result} for result in results]
    return document


def with_tags(*tags: str) -> Json:
    document = badge()
    del document["credentialSubject"]["achievement"]["id"]
    document["credentialSubject"]["achievement"]["tag"] = list(tags)
    return document


WAYS = [
    (Way.TIE, with_results({"value": "1"}, {"value": "2"}), with_results({"value": "1"}, {"value": "1"})),
    (Way.EQUAL, with_tags("a", "b"), with_tags("a", "a")),
    (Way.ODD_IRI, badge(), badge(id="https://ü.example/")),
]


@pytest.mark.parametrize(("way", "known", "document"), WAYS, ids=[way for way, _, _ in WAYS])
def test_where_filling_is_not_enough_the_bytes_are_the_same_and_the_cause_is_counted(
    way: Way, known: Json, document: Json
) -> None:
    plans = Plans()
    rdfc.canonical(known, plans=plans)
    rdfc.canonical(known, plans=plans)

    assert rdfc.canonical(document, plans=plans) == rdfc.general(document) == by_pyld(document)
    assert plans.counts[way] == 1
    assert plans.counts[Count.MISMATCH] == 0


def test_a_number_that_its_datatype_rewrites_has_no_plan() -> None:
    term = {"exact": {"@id": "https://x.example/exact", "@type": "http://www.w3.org/2001/XMLSchema#double"}}
    document = badge(**{"@context": [*contexts.AWARD, term]}, exact=1)
    plans = Plans()

    for _ in range(3):
        assert rdfc.canonical(document, plans=plans) == by_pyld(document)

    assert plans.counts == {Way.NEW: 2, Way.NUMBER: 1}


def test_statements_and_nodes_that_become_equal_are_one() -> None:
    known, document = badge(), badge()
    known["credentialSubject"]["achievement"]["tag"] = ["a", "b", "c"]
    document["credentialSubject"]["achievement"]["tag"] = ["c", "c", "Data Analysis"]
    for node in (document["issuer"], document["credentialSubject"], document["credentialSubject"]["achievement"]):
        node["id"] = document["id"]
    skeleton, leaves = taken_apart(document)
    assert taken_apart(known)[0] == skeleton

    filled, _ = plan_of(known).filled(leaves)

    assert filled == rdfc.general(document) == by_pyld(document)


def spoilt(document: Json) -> Plan:
    """A plan for the document that puts the first two leaves in each other's place."""
    plan = plan_of(document)
    plan._whole = Lines(tuple({0: 1, 1: 0}.get(part, part) for part in line) for line in plan._lines)
    return plan


@pytest.mark.parametrize("uses", [0, 1000, 5000], ids=["at its first use", "after a thousand", "after thousands"])
def test_a_plan_that_gives_other_bytes_is_found_out_and_retired(uses: int) -> None:
    plans, skeleton = Plans(), taken_apart(badge())[0]
    plans._kept[skeleton] = _Kept(spoilt(badge()), uses)

    assert [rdfc.canonical(badge(), own=True, plans=plans) for _ in range(3)] == [rdfc.general(badge())] * 3
    assert plans.counts == {Way.FILLED: 1, Count.CHECKED: 1, Count.MISMATCH: 1, Way.RETIRED: 2}


def test_a_plan_for_what_the_general_path_refuses_is_retired_and_the_refusal_stands() -> None:
    plans, skeleton = Plans(), taken_apart(badge())[0]
    plans._kept[skeleton] = _Kept(plan_of(badge()))

    def general() -> bytes:
        raise ProofError("x", "Refused.")

    for _ in range(2):
        with pytest.raises(ProofError, match="Refused"):
            plans.canonical(skeleton, taken_apart(badge())[1], general, at_once=True)

    assert plans.counts == {Way.FILLED: 1, Count.CHECKED: 1, Count.MISMATCH: 1, Way.RETIRED: 1}


def test_a_retired_plan_is_not_made_again_after_others_took_its_place() -> None:
    plans, skeleton = Plans(limit=1), taken_apart(badge())[0]
    plans._kept[skeleton] = _Kept(spoilt(badge()))

    for document in (badge(), with_tags("a"), badge(), badge()):
        assert rdfc.canonical(document, own=True, plans=plans) == rdfc.general(document)

    assert plans.counts[Count.COMPILED] == 1
    assert plans.counts[Way.RETIRED] == 1


def test_a_plan_that_gives_other_bytes_is_found_out_when_it_is_made() -> None:
    plans, skeleton = Plans(), taken_apart(badge())[0]

    plans.canonical(skeleton, taken_apart(badge())[1], lambda: b"other", at_once=True)

    assert plans.counts == {Way.NEW: 1, Count.COMPILED: 1, Count.CHECKED: 1, Count.MISMATCH: 1}
    assert plans.canonical(skeleton, taken_apart(badge())[1], lambda: b"other", at_once=True) == b"other"


class Word(StrEnum):
    """A str that is not just a str."""

    ACHIEVEMENT = "Achievement"


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(name="a\x01b"),
        lambda d: d.update(name="a\ud800"),
        lambda d: d.update(id="credentials/1"),
        lambda d: d.update(id=UUID(int=1)),
        lambda d: d.update(name=Decimal("1.5")),
        lambda d: d.update(type=tuple(d["type"])),
        lambda d: d["credentialSubject"].update(creditsEarned=float("nan")),
        lambda d: d["credentialSubject"].update(creditsEarned=Decimal("4.5")),
        lambda d: d["credentialSubject"]["achievement"].update(creditsAvailable=2**53),
        lambda d: d["credentialSubject"]["achievement"].update(tag=("data", "analysis")),
    ],
)
def test_what_is_refused_stays_refused_where_the_shape_is_known(change: Any) -> None:
    plans, document = Plans(), badge()
    rdfc.canonical(badge(), own=True, plans=plans)
    change(document)

    with pytest.raises(ProofError):
        rdfc.canonical(document, own=True, plans=plans)


def test_what_others_may_send_is_not_signed_where_its_shape_is_known() -> None:
    term = {"x": "https://x.example/x"}
    inline, odd = badge(**{"@context": [*contexts.AWARD, term]}, x="x"), badge(id="https://ü.example/")
    plans = Plans()

    for document in (inline, odd):
        for _ in range(3):
            rdfc.canonical(document, plans=plans)
        with pytest.raises(ProofError):
            rdfc.canonical(document, own=True, plans=plans)


def test_a_text_that_equals_a_plain_one_but_is_none_takes_the_general_path() -> None:
    plans, document = Plans(), badge()
    rdfc.canonical(badge(), own=True, plans=plans)
    document["credentialSubject"]["achievement"]["type"] = [Word.ACHIEVEMENT]

    assert rdfc.canonical(document, own=True, plans=plans) == rdfc.general(badge())
    assert plans.counts[Way.NOT_PLAIN] == 1


def test_no_pinned_context_defines_a_term_that_reads_like_the_scheme_of_a_kept_iri() -> None:
    defined = {name.lower() for name in terms.names(contexts.KNOWN)}

    assert not defined & {"http", "https", "urn", "did", "mailto", "tel", "data"}


@settings(max_examples=200)
@given(
    st.sampled_from(["https://", "http://a", "https:", "urn:", "did:", "mailto:", "tel:", "https://a/"]),
    st.lists(st.sampled_from([*"a0.-_~:/?@!$&'()*+,;=#%", "%C3", "//", ":8"]), max_size=12).map("".join),
)
def test_an_address_that_looks_simple_is_one_to_the_library_and_by_the_long_rule(start: str, end: str) -> None:
    text = start + end

    if lexical._is_simple_uri(text):
        assert ox.NamedNode(text).value == text
        assert lexical._is_uri(text)
