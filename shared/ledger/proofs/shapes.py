"""What a skeleton means as RDF, and the proof that all of a document is signed.

Whether RDF libraries drop something depends on a document's skeleton and on whether its IRIs are well-formed, not on
its texts. So each skeleton is looked at once: every leaf is replaced by a token of its own, the result is read, and
every token must come out in a statement (**coverage**: what an undefined term holds cannot), every type as an
`rdf:type`. What a token comes out as tells which leaves are IRIs and which datatype the others get.

The same look compares the contexts pruned to this skeleton with the whole ones: equal statements, or the whole ones
serve. This module does not canonicalise, so no graph can keep it busy.
"""

import functools
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import msgspec
import pyoxigraph as ox

from ledger.proofs import jcs, skeleton, terms
from ledger.proofs.problems import DATA_LOSS, RANGE, TRANSFORMATION, CannotSay, ProofError, pointer
from ledger.proofs.skeleton import Filling, Part, Path

QUADS_LIMIT: Final = 2_000
ADDRESSES_LIMIT: Final = 192
RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


class Shape(msgspec.Struct, frozen=True):
    """`slots`: for each leaf, in order, None where it is an IRI, else the datatype of its literal. `whole` and `pruned`
    are the `@context` values as JSON, in order. `simple`: one context, and no leaf needs rewriting for RDF."""

    slots: tuple[str | None, ...]
    whole: tuple[bytes, ...]
    pruned: tuple[bytes, ...]
    simple: bool


@functools.lru_cache(maxsize=1024)
def shape_of(found: Part) -> Shape:
    """The shape of a skeleton; some milliseconds at first sight, then nothing.

    Raises ProofError with the pointer of the first leaf, type or literal JSON that would not be signed.
    """
    every = list(skeleton.parts(found))
    contexts = [
        msgspec.json.decode(raw) for kind, raw, path in every if kind == skeleton.FIXED and path[-1] == "@context"
    ]
    if sum(len(context) if isinstance(context, list) else 1 for context in contexts) > ADDRESSES_LIMIT:
        raise CannotSay("The document names too many contexts.", problem=RANGE)
    whole = tuple(map(_json, map(terms.inlined, contexts)))
    tokens = Tokens(found)
    quads = statements(tokens.filled(whole))
    if len(quads) > QUADS_LIMIT:
        raise CannotSay(f"The document makes more than {QUADS_LIMIT} statements.", problem=RANGE)
    slots = tokens.slots(quads)
    _check_types(every, quads, tokens, contexts)
    _check_literal_json(every, quads)
    plain = statements(tokens.filled(whole, vocabulary=False))
    if len(plain) != len(quads):
        where = next((path for kind, _, path in every if kind == skeleton.VOCABULARY), ())
        raise ProofError(DATA_LOSS, "A value that must be a term is none that the contexts define.", pointer(where))
    words = _words(every)
    slim = tuple(_json(terms.pruned(terms.inlined(context), words)) for context in contexts)
    same = _relabelled(statements(tokens.filled(slim, vocabulary=False))) == _relabelled(plain)
    rewriting = any(kind == skeleton.FRACTION or path[-1] == "@direction" for kind, _, path in every)
    return Shape(slots, whole, slim if same else whole, simple=len(contexts) == 1 and not rewriting)


@contextmanager
def json_ld_rules() -> Iterator[None]:
    """Turn what JSON-LD itself refuses, such as a protected term that is defined again, into a ProofError."""
    try:
        yield
    except SyntaxError as error:
        raise ProofError(TRANSFORMATION, f"The document breaks a rule of JSON-LD 1.1: {error.msg}.") from error


def statements(document: Any) -> list[ox.Quad]:
    """The statements of a document with inlined contexts, in the order in which they stand there, repeated ones too."""
    with json_ld_rules():
        return list(ox.parse(_json(document), format=ox.RdfFormat.JSON_LD))


class Tokens:
    """A token for each leaf and for each value that may be a term: an absolute IRI, also good as a text.

    It holds a digest of the skeleton, so that no fixed part can hold a token. `stem` begins each, `leaves` are those of
    the leaves, and `kinds` says what these are.
    """

    def __init__(self, found: Part) -> None:
        self._found = found
        self.stem: Final = "zq" + hashlib.sha256(repr(found).encode()).hexdigest()[:24]
        holders = [
            (kind, path)
            for kind, _, path in skeleton.parts(found)
            if kind in skeleton.LEAVES or kind == skeleton.VOCABULARY
        ]
        self._paths = {f"{self.stem}:{index}qz": path for index, (_, path) in enumerate(holders)}
        named = [(token, kind) for token, (kind, _) in zip(self._paths, holders, strict=True)]
        self.leaves: Final = [token for token, kind in named if kind in skeleton.LEAVES]
        self.kinds: Final = [kind for _, kind in named if kind in skeleton.LEAVES]
        self._vocabulary = [token for token, kind in named if kind not in skeleton.LEAVES]

    def filled(self, contexts: Sequence[bytes], *, vocabulary: bool = True) -> Any:
        """The skeleton with tokens for leaves; values that may be terms stand as they are unless `vocabulary`."""
        return Filling(self.leaves, contexts, self._vocabulary if vocabulary else None).of(self._found)

    def slots(self, quads: Iterable[ox.Quad]) -> tuple[str | None, ...]:
        """What each leaf came out as. Raises ProofError for the first one that did not."""
        came: dict[str, str | None] = {}
        for quad in quads:
            for term in (quad.subject, quad.object):
                if isinstance(term, ox.NamedNode):
                    came[term.value] = None
                elif isinstance(term, ox.Literal):
                    came[term.value] = term.datatype.value
        for token, path in self._paths.items():
            if token not in came:
                name = next((step for step in reversed(path) if isinstance(step, str)), "")
                detail = f"No statement holds the value of {name}: the contexts define no such term here."
                raise ProofError(DATA_LOSS, detail, pointer(path))
        return tuple(came[token] for token in self.leaves)

    def holds(self, iri: str) -> bool:
        """Whether an IRI is a token."""
        return iri.startswith(self.stem)


def _check_types(
    every: Sequence[tuple[str, bytes, Path]], quads: Iterable[ox.Quad], tokens: Tokens, contexts: Sequence[Any]
) -> None:
    """Types cannot be tokens, since terms depend on them; so the statements are counted."""
    typed = sum(
        quad.predicate.value == RDF + "type"
        and isinstance(quad.object, ox.NamedNode)
        and not tokens.holds(quad.object.value)
        for quad in quads
    )
    written = [(names, path) for names, path in _types(every) if path]
    if typed == sum(len(set(names)) for names, _ in written):
        return
    known = terms.names(contexts)
    for names, path in written:
        for name in names:
            if name not in known and ":" not in name:
                raise ProofError(DATA_LOSS, f"The contexts define no type {name[:100]}.", pointer(path))
    raise ProofError(
        DATA_LOSS, "A type is defined by no context, or stands twice.", pointer(written[0][1]) if written else ""
    )


def _types(every: Iterable[tuple[str, bytes, Path]]) -> Iterable[tuple[list[str], Path]]:
    for kind, raw, path in every:
        if kind == skeleton.FIXED and path[-1] == "type":
            names = msgspec.json.decode(raw)
            yield (names if isinstance(names, list) else [names]), path


def _check_literal_json(every: Iterable[tuple[str, bytes, Path]], quads: Iterable[ox.Quad]) -> None:
    """Literal JSON must come out whole, as one literal in canonical form."""
    came = Counter(
        quad.object.value
        for quad in quads
        if isinstance(quad.object, ox.Literal) and quad.object.datatype.value == RDF + "JSON"
    )
    for kind, raw, path in every:
        if kind == skeleton.JSON:
            text = jcs.canonical(msgspec.json.decode(raw)).decode()
            came[text] -= 1
            if came[text] < 0:
                raise ProofError(
                    DATA_LOSS, "This is not read as literal JSON, or not in canonical form.", pointer(path)
                )


def _words(every: Iterable[tuple[str, bytes, Path]]) -> frozenset[str]:
    """Everything that may be looked up in a context: members, types, values that may be terms, and their prefixes."""
    found: set[str] = set()
    for kind, raw, path in every:
        found.update(step for step in path if isinstance(step, str))
        if kind in (skeleton.FIXED, skeleton.VOCABULARY) and path[-1] != "@context":
            value = msgspec.json.decode(raw)
            found.update(value if isinstance(value, list) else [value])
    return frozenset(found | {word.partition(":")[0] for word in found})


def _relabelled(quads: Iterable[ox.Quad]) -> list[tuple[str, ...]]:
    """The statements with blank nodes numbered as they come: equal lists are equal graphs."""
    numbers: dict[str, str] = {}

    def text(term: Any) -> str:
        return numbers.setdefault(term.value, f"_:{len(numbers)}") if isinstance(term, ox.BlankNode) else str(term)

    return [tuple(map(text, (quad.subject, quad.predicate, quad.object, quad.graph_name))) for quad in quads]


_json: Final = msgspec.json.Encoder().encode
