"""A document taken apart: its *skeleton*, and the *leaves* that may vary.

The skeleton keeps members, lengths of arrays, types, contexts and languages; leaves are the texts, numbers and
booleans. Values that are terms themselves (`proofPurpose`) and literal JSON stay in the skeleton. Skeletons are nested
tuples, so that no text of a document can pass for structure:

    ("{", (name, part), …)  a node         ("=", json)  a type, context, language: fixed
    ("[", part, …)          an array       ("v", json)  a value that may be a term
    "s" "b" "n" "f"         a leaf         ("j", json)  literal JSON

`n` is an integer, `f` any number that was written with a point or an exponent.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec

from ledger.proofs import terms

Leaf = str | bool | int | float
Part = Any
Path = tuple[str | int, ...]

TEXT, BOOLEAN, INTEGER, FRACTION = "s", "b", "n", "f"
LEAVES: Final = frozenset({TEXT, BOOLEAN, INTEGER, FRACTION})
FIXED, VOCABULARY, JSON = "=", "v", "j"
_NODE, _ARRAY = "{", "["
_FIXED_IN_NODES: Final = frozenset({"type", "@context"})
_FIXED_IN_VALUES: Final = frozenset({"@type", "@language", "@direction"})
_json: Final = msgspec.json.Encoder().encode
I18N: Final = "https://www.w3.org/ns/i18n#"


def taken_apart(
    document: dict[str, Any], terms_of: Callable[[Any], terms.Terms] = terms.terms_of
) -> tuple[Part, list[Leaf]]:
    """A screened document's skeleton, hashable, and its leaves in order.

    `terms_of` gives the special terms of each `@context` and may raise for one that was not screened.
    """
    walk = _Walk(terms_of)
    return walk.node(document, terms.NO_TERMS), walk.leaves


def parts(skeleton: Part, path: Path = ()) -> Iterator[tuple[str, bytes, Path]]:
    """Each leaf and fixed part in order: its kind, its JSON where it is fixed, and where it stands."""
    if isinstance(skeleton, str):
        yield skeleton, b"", path
    elif skeleton[0] == _NODE:
        for name, part in skeleton[1:]:
            yield from parts(part, (*path, name))
    elif skeleton[0] == _ARRAY:
        for index, part in enumerate(skeleton[1:]):
            yield from parts(part, (*path, index))
    else:
        yield skeleton[0], skeleton[1], path


class Filling:
    """A skeleton put together again for RDF, in one walk: `leaves` and `contexts` (as JSON) are taken in order.

    `vocabulary`, if given, stands in for values that may be terms. A leaf may be a value object. Text directions are
    written as datatypes, which RDF libraries agree on: `@ar--rtl` is not RDF 1.1, and some drop the direction.
    """

    def __init__(
        self, leaves: Iterable[Any], contexts: Iterable[bytes], vocabulary: Iterable[Any] | None = None
    ) -> None:
        self._leaves, self._contexts = iter(leaves), iter(contexts)
        self._vocabulary = None if vocabulary is None else iter(vocabulary)

    def of(self, skeleton: Part) -> Any:
        """The JSON value, with fixed parts as `msgspec.Raw`."""
        if isinstance(skeleton, str):
            return next(self._leaves)
        kind = skeleton[0]
        if kind == _NODE:
            node = {name: self._member(name, part) for name, part in skeleton[1:]}
            return _value_object(node) if "@value" in node else node
        if kind == _ARRAY:
            return [self.of(part) for part in skeleton[1:]]
        if kind == VOCABULARY and self._vocabulary is not None:
            return next(self._vocabulary)
        return msgspec.Raw(skeleton[1])

    def _member(self, name: str, part: Part) -> Any:
        return msgspec.Raw(next(self._contexts)) if name == "@context" else self.of(part)


class _Walk:
    """One walk through a document, which collects its leaves."""

    def __init__(self, terms_of: Callable[[Any], terms.Terms]) -> None:
        self.leaves: list[Leaf] = []
        self._terms_of = terms_of

    def node(self, node: dict[str, Any], known: terms.Terms) -> Part:
        if "@context" in node:
            known |= self._terms_of(node["@context"])
        fixed = _FIXED_IN_VALUES if "@value" in node else _FIXED_IN_NODES
        members: list[Any] = [_NODE]
        for name, member in node.items():
            if name in fixed:
                part: Part = (FIXED, _json(member))
            elif name in known.json:
                part = (JSON, _json(member))
            else:
                part = self._part(member, name in known.vocab, known)
            members.append((name, part))
        return tuple(members)

    def _part(self, value: Any, may_be_term: bool, known: terms.Terms) -> Part:
        kind = type(value)
        if kind is str and may_be_term:
            return (VOCABULARY, _json(value))
        if kind is dict:
            return self.node(value, known)
        if kind is list:
            return (_ARRAY, *[self._part(item, may_be_term, known) for item in value])
        self.leaves.append(value)
        return TEXT if kind is str else BOOLEAN if kind is bool else INTEGER if kind is int else FRACTION


def _value_object(node: dict[str, Any]) -> dict[str, Any]:
    value = node["@value"]
    if isinstance(value, dict):  # a fraction, written out
        return {**node, **value}
    if "@direction" not in node:
        return node
    language, direction = (msgspec.json.decode(node.get(name, b'""')) for name in ("@language", "@direction"))
    return {"@value": value, "@type": f"{I18N}{language.lower()}_{direction}"}
