"""What the contexts of a document define: inlined, listed by kind, and pruned to what a document uses.

pyoxigraph has no document loader, so each address is replaced by the pinned object, recursively and in order. Nearly
all the time of reading a badge goes into contexts of which it uses a tenth: a pruned context holds the terms that are
used and everything that these refer to. `ledger.proofs.shapes` compares each one with the whole before it serves.
"""

import functools
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from ledger import contexts

_KEYS: Final = msgspec.json.Encoder(order="deterministic")


class Terms(msgspec.Struct, frozen=True):
    """Names of terms of which some definition, at whatever depth, has values that are terms (`vocab`) or literal JSON
    (`json`). A name here may be an ordinary term elsewhere: who uses this looks at what comes out."""

    vocab: frozenset[str]
    json: frozenset[str]

    def __or__(self, other: "Terms") -> "Terms":
        if other.vocab <= self.vocab and other.json <= self.json:
            return self
        return Terms(self.vocab | other.vocab, self.json | other.json)


NO_TERMS: Final = Terms(frozenset(), frozenset())


def context_key(context: Any) -> str:
    """A text that stands for an `@context` value, for caches: equal texts, equal contexts."""
    return _KEYS.encode(context).decode()


def terms_of(context: Any) -> Terms:
    """The special terms of an `@context` value that was screened."""
    return _terms(context_key(context))


@functools.lru_cache(maxsize=256)
def _terms(key: str) -> Terms:
    vocab, json = set(), set()
    for name, definition in _definitions(inlined(msgspec.json.decode(key))):
        kind = definition.get("@type") if isinstance(definition, dict) else None
        if kind == "@vocab":
            vocab.add(name)
        elif kind == "@json":
            json.add(name)
    return Terms(frozenset(vocab), frozenset(json))


def inlined(context: Any) -> Any:
    """An `@context` value in which every address is the pinned object, scoped contexts too. Raises UnknownContext."""
    if isinstance(context, str):
        return inlined(contexts.context(context)["@context"])
    if isinstance(context, list):
        flat: list[Any] = []
        for part in map(inlined, context):
            flat.extend(part if isinstance(part, list) else [part])
        return flat
    if context is None:  # in a pinned context: what stands below begins afresh
        return None
    return {
        name: {**definition, "@context": inlined(definition["@context"])}
        if isinstance(definition, dict) and "@context" in definition
        else definition
        for name, definition in context.items()
    }


def pruned(context: Any, words: frozenset[str]) -> Any:
    """An inlined context without the terms that neither `words` (members, types, values that are terms) name nor any
    definition refers to. Keywords and their aliases stay."""
    return _pruned(context, words | _referred(context))


def _pruned(context: Any, keep: frozenset[str]) -> Any:
    if isinstance(context, list):
        return [_pruned(part, keep) for part in context]
    if context is None:
        return None
    kept = {}
    for name, definition in context.items():
        alias = isinstance(definition, str) and definition.startswith("@")
        if name.startswith("@") or alias or name in keep:
            scoped = isinstance(definition, dict) and "@context" in definition
            kept[name] = {**definition, "@context": _pruned(definition["@context"], keep)} if scoped else definition
    return kept


def _referred(context: Any) -> frozenset[str]:
    """Every text in the definitions, and what stands before its first colon: other terms, and prefixes."""
    found: set[str] = set()
    for _, definition in _definitions(context):
        parts = definition.values() if isinstance(definition, dict) else (definition,)
        found.update(part for part in parts if isinstance(part, str))
    return frozenset(found | {text.partition(":")[0] for text in found})


def _definitions(context: Any) -> Iterator[tuple[str, Any]]:
    """Each (term, definition) of an inlined context, those of scoped contexts too."""
    if isinstance(context, list):
        for part in context:
            yield from _definitions(part)
    elif isinstance(context, dict):
        for name, definition in context.items():
            yield name, definition
            if isinstance(definition, dict) and "@context" in definition:
                yield from _definitions(definition["@context"])


def names(used: Iterable[Any]) -> frozenset[str]:
    """The names of all terms that some of these `@context` values define."""
    return frozenset(name for context in used for name, _ in _definitions(inlined(context)))
