"""Parts that a graph cannot tell apart are written once, and too many alike are refused."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ledger.credentials.siblings import crowd_errors, distinct, without_twins


def alignments(*names: str) -> list[dict[str, Any]]:
    return [{"type": ["Alignment"], "targetName": name} for name in names]


def test_equal_siblings_are_written_once_in_their_order() -> None:
    value = {"alignment": alignments("a", "b", "a"), "tag": ["x", "x"]}

    assert without_twins(value) == {"alignment": alignments("a", "b"), "tag": ["x", "x"]}


def test_twins_below_twins_are_found() -> None:
    value = {"result": [{"alignment": alignments("a", "a")}, {"alignment": alignments("a")}]}

    assert without_twins(value) == {"result": [{"alignment": alignments("a")}]}


def test_seven_nodes_that_differ_only_below_are_refused_at_the_seventh() -> None:
    document = {"id": "https://x.example", "result": [{"alignment": alignments(str(n))} for n in range(7)]}

    assert [fault.pointer for fault in crowd_errors(document)] == ["/result/6"]


def test_seven_nodes_with_ids_or_with_texts_of_their_own_pass() -> None:
    named = [{"id": f"urn:uuid:{n}", "alignment": alignments("a")} for n in range(9)]
    told_apart = [{"value": str(n), "alignment": alignments(str(n))} for n in range(9)]

    assert crowd_errors({"id": "https://x.example", "resultDescription": named, "result": told_apart}) == []


@given(st.lists(st.integers(0, 3) | st.sampled_from(["0", "1"]) | st.booleans()))
def test_distinct_keeps_the_first_of_each_as_json(members: list[Any]) -> None:
    kept = distinct(members)

    assert len({repr(member) for member in kept}) == len(kept)
    assert {repr(member) for member in kept} == {repr(member) for member in members}
