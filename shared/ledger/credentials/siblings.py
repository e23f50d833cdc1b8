"""Twins: nodes without an id that a graph cannot tell apart.

RDF canonicalisation takes time that grows with the factorial of such nodes (two equal results with nine equal
alignments each: fourteen seconds). Equal siblings are one statement anyway, so they are written once; a document in
which more than six nodes still look alike at first sight is refused where it is published.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeVar

import msgspec

from ledger.errors import FieldError

T = TypeVar("T")

MOST_ALIKE: Final = 6
_KEYS = msgspec.json.Encoder(order="sorted")


def distinct(members: Sequence[T]) -> list[T]:
    """`members` in order, each equal one only once; equal as JSON."""
    kept: dict[bytes, T] = {}
    for member in members:
        kept.setdefault(_KEYS.encode(member), member)
    return list(kept.values())


def without_twins(value: Any) -> Any:
    """A JSON value in which no array of objects holds the same object twice."""
    if isinstance(value, dict):
        return {name: without_twins(member) for name, member in value.items()}
    if isinstance(value, list):
        members = [without_twins(member) for member in value]
        return distinct(members) if any(isinstance(member, dict) for member in members) else members
    return value


def crowd_errors(document: dict[str, Any]) -> list[FieldError]:
    """Where the seventh of several id-less nodes stands that differ only in what lies below other id-less nodes."""
    seen: Counter[tuple[str, str, bytes]] = Counter()
    faults = []
    for at, parent, name, node in _nameless(document, "", "", ""):
        key = (parent, name, _KEYS.encode(_masked(node)))
        seen[key] += 1
        if seen[key] == MOST_ALIKE + 1:
            faults.append(FieldError(at, f"looks like {MOST_ALIKE} others; give such parts an id or make them differ"))
    return faults


def _nameless(value: Any, at: str, parent: str, name: str) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    if isinstance(value, list):
        for index, member in enumerate(value):
            yield from _nameless(member, f"{at}/{index}", parent, name)
    elif isinstance(value, dict) and name != "@context":
        own = value.get("id")
        if at and not isinstance(own, str):
            yield at, parent, name, value
        for key, member in value.items():
            yield from _nameless(member, f"{at}/{key}", own if isinstance(own, str) else "", key)


def _masked(node: dict[str, Any]) -> dict[str, Any]:
    """The node with each id-less node below it as a blank, as the first-degree hash of RDFC-1.0 sees it."""

    def masked(value: Any) -> Any:
        if isinstance(value, list):
            return sorted((masked(member) for member in value), key=_KEYS.encode)
        if isinstance(value, dict):
            return {"id": value["id"]} if isinstance(value.get("id"), str) else {}
        return value

    return {key: masked(member) for key, member in node.items()}
