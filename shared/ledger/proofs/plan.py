"""A plan: what RDFC-1.0 makes of every document of one skeleton, with holes for the leaves.

Compiling reads the skeleton once as JSON-LD, with a token for each leaf, and keeps the statements as terms. Filling
puts leaves where their tokens came out, names the blank nodes and sorts. The bytes are those of the general path:

- **Statements.** JSON-LD is read value by value, and nothing on the way compares two leaves. A leaf has a say in the
  structure only where it is an IRI that would be expanded, resolved, dropped or taken for a blank node; what
  `is_kept_iri` lets through is not. So a document's statements are the compiled ones, with leaves for tokens. Where ids
  become equal, nodes become one, and that is no more than this: their statements have one subject, and those that
  become equal are one statement.
- **Names of blank nodes** (RDFC-1.0 §4.4.3). Where all first-degree hashes (§4.6) differ, names follow their order.
  Where two are equal the longer algorithm is needed: the library gets the statements and names them.
- **Equal statements.** A hash is made of a *set* of statements, each written with its node as `_:a` and others as
  `_:z`; lines that become equal by *that* all count. So where filling makes two lines of a hash equal which were not,
  it is not known here whether they are one statement: the library, again. Equal lines of the result are one.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec
import pyoxigraph as ox

from ledger.proofs.lexical import XSD, datatype_of_fraction, fraction, is_kept_iri
from ledger.proofs.lines import Line, Lines
from ledger.proofs.quads import canonical_quads
from ledger.proofs.shapes import Shape, Tokens, statements
from ledger.proofs.skeleton import BOOLEAN, FRACTION, INTEGER, TEXT, Filling, Leaf, Part

# What a number or boolean stands as while the datatypes are looked up, and how it must come out.
_SAMPLES: Final[dict[str, tuple[Any, str]]] = {BOOLEAN: (True, "true"), INTEGER: (1, "1"), FRACTION: (0.5, "5.0E-1")}


class Way(StrEnum):
    """How a document came to its canonical form, for counting: by a plan, or, with a cause, by the general path."""

    FILLED = "filled"
    TIE = "tie"  # filled; the library names the blank nodes, since two have one first-degree hash
    EQUAL = "equal"  # filled; the library names them, since two lines about one became equal
    # The general path, because:
    ODD_IRI = "odd_iri"  # a leaf stands for an IRI that libraries do not surely keep
    NUMBER = "number"  # a number is written as its datatype demands
    TOKENS = "tokens"  # a leaf comes out in part, or as IRI and as text
    LARGE = "large"  # a plan would take too much room
    RETIRED = "retired"  # the plan was wrong
    NEW = "new"  # the skeleton has no plan yet
    NOT_PLAIN = "not_plain"  # there are numbers, names or types in it for which there are no plans


class Unplannable(Exception):
    """A skeleton for which there can be no plan."""

    def __init__(self, cause: Way) -> None:
        super().__init__(cause)
        self.cause = cause


class Plan:
    """What fills one skeleton. `leaves` are always those of a document with that skeleton, screened."""

    def __init__(self, renders: Sequence[Callable[[Any], bytes | None]], lines: Sequence[Line], blanks: int) -> None:
        self.statements = len(lines)
        self._renders, self._lines = renders, lines
        self._blanks = [_Blank(blank, lines, len(renders)) for blank in range(len(renders), len(renders) + blanks)]
        self._whole = Lines(self._lines)

    def filled(self, leaves: Sequence[Leaf]) -> tuple[bytes | None, Way]:
        """The canonical N-Quads and how they were found; None for an odd IRI.

        Takes for ever only where the general path does.
        """
        values = [render(leaf) for render, leaf in zip(self._renders, leaves, strict=True)]
        written = [value for value in values if value is not None]
        if len(written) < len(values):
            return None, Way.ODD_IRI
        names = self._names_for(written)
        if isinstance(names, Way):
            return self._named_by_library(written), names
        lines = self._whole.filled(written + names)
        lines.sort()
        if len(set(lines)) != len(lines):
            lines = list(dict.fromkeys(lines))
        lines.append(b"")
        return b"\n".join(lines), Way.FILLED

    def arranged(self, leaves: Sequence[Leaf]) -> "Plan":
        """The same with its lines in the order that they have for these leaves: sorting what is sorted is cheap."""
        written = [render(leaf) or b"" for render, leaf in zip(self._renders, leaves, strict=True)]
        names = self._names_for(written)
        if isinstance(names, Way):
            return self
        lines = sorted(self._lines, key=lambda line: Lines([line]).filled(written + names))
        return Plan(self._renders, lines, len(self._blanks))

    def _names_for(self, written: list[bytes]) -> list[bytes] | Way:
        hashes = [node.hash(written) for node in self._blanks]
        found = [name for name in hashes if name is not None]
        if len(found) < len(hashes):
            return Way.EQUAL
        order = {name: number for number, name in enumerate(sorted(found))}
        return [b"_:c14n%d" % order[name] for name in found] if len(order) == len(found) else Way.TIE

    def _named_by_library(self, written: list[bytes]) -> bytes:
        lines = self._whole.filled(written + [b"_:b%d" % number for number in range(len(self._blanks))])
        return canonical_quads(ox.Dataset(ox.parse(b"\n".join(lines), format=ox.RdfFormat.N_QUADS)))


class _Blank:
    """A blank node, as its first-degree hash sees it (RDFC-1.0 §4.6)."""

    def __init__(self, blank: int, lines: Iterable[Line], leaves: int) -> None:
        own = [_seen_from(blank, line, leaves) for line in lines if blank in line]
        self._fixed = [line[0] for line in own if len(line) == 1 and isinstance(line[0], bytes)]
        self._varying = Lines(line for line in own if len(line) > 1)
        self._different = len(own) - len(self._fixed) + len(set(self._fixed))
        self._constant = _digest(self._fixed) if len(self._fixed) == len(own) else None

    def hash(self, values: Sequence[bytes]) -> bytes | None:
        """The hash with these values; None when lines that vary became equal to others."""
        if self._constant is not None:
            return self._constant
        lines = self._fixed + self._varying.filled(values)
        return _digest(lines) if len(set(lines)) == self._different else None


def _digest(lines: list[bytes]) -> bytes:
    return hashlib.sha256(b"\n".join([*sorted(lines), b""])).digest()


def _seen_from(blank: int, line: Line, leaves: int) -> Line:
    """A line with the blank node as `_:a`, others as `_:z`, and neighbouring fixed parts as one."""
    seen: list[bytes | int] = []
    for part in line:
        text = part if isinstance(part, bytes) or part < leaves else b"_:a" if part == blank else b"_:z"
        if seen and isinstance(text, bytes) and isinstance(seen[-1], bytes):
            seen[-1] += text
        else:
            seen.append(text)
    return tuple(seen)


def compiled(skeleton: Part, shape: Shape) -> Plan:
    """The plan for a skeleton, whose shape was found. A millisecond or two. Raises Unplannable."""
    return _Compilation(skeleton, shape).plan()


class _Compilation:
    def __init__(self, skeleton: Part, shape: Shape) -> None:
        self._skeleton, self._shape = skeleton, shape
        self._tokens = Tokens(skeleton)
        self._kinds = self._tokens.kinds
        self._numbers = {token: index for index, token in enumerate(self._tokens.leaves)}
        self._blanks: dict[str, int] = {}
        self._renders: dict[int, Callable[[Any], bytes | None]] = {}

    def plan(self) -> Plan:
        quads = statements(self._tokens.filled(self._shape.pruned, vocabulary=False))
        samples = self._samples() if set(self._kinds) - {TEXT} else quads
        if len(samples) != len(quads) or not quads:
            raise Unplannable(Way.TOKENS)
        # One skeleton gives one order, so that the samples can be read beside the tokens.
        lines = [self._line(quad, sample) for quad, sample in zip(quads, samples, strict=True)]
        if len(self._renders) != len(self._kinds):
            raise Unplannable(Way.TOKENS)
        renders = [self._renders[index] for index in range(len(self._kinds))]
        return Plan(renders, list(dict.fromkeys(lines)), len(self._blanks))

    def _samples(self) -> list[ox.Quad]:
        leaves: list[Any] = list(self._tokens.leaves)
        for index, kind in enumerate(self._kinds):
            if kind != TEXT:
                leaves[index], text = _SAMPLES[kind]
            if kind == FRACTION:
                leaves[index] = {"@value": text, "@type": datatype_of_fraction(self._shape.slots[index])}
        return statements(Filling(leaves, self._shape.pruned).of(self._skeleton))

    def _line(self, quad: ox.Quad, sample: ox.Quad) -> Line:
        line: list[bytes | int] = []
        terms = [quad.subject, quad.predicate, quad.object]
        if not isinstance(quad.graph_name, ox.DefaultGraph):
            terms.append(quad.graph_name)
        for term in terms:
            line += self._term(term, sample.object)
            line.append(b" ")
        return (*line, b".")

    def _term(self, term: Any, sample: Any) -> list[bytes | int]:
        if isinstance(term, ox.BlankNode):
            return [len(self._kinds) + self._blanks.setdefault(term.value, len(self._blanks))]
        index = self._numbers.get(term.value)
        if index is None:
            if self._tokens.stem in str(term):
                raise Unplannable(Way.TOKENS)
            return [str(term).encode()]
        if isinstance(term, ox.NamedNode):
            if self._kinds[index] != TEXT:
                raise Unplannable(Way.NUMBER)
            self._render(index, _iri)
            return [index]
        if self._kinds[index] == TEXT:
            self._render(index, _text)
            return [index, _suffix(term)]
        if not isinstance(sample, ox.Literal) or sample.value != _SAMPLES[self._kinds[index]][1]:
            raise Unplannable(Way.NUMBER)
        self._render(index, _RENDERS[self._kinds[index]])
        return [index, _suffix(sample)]

    def _render(self, index: int, render: Callable[[Any], bytes | None]) -> None:
        if self._renders.setdefault(index, render) is not render:
            raise Unplannable(Way.TOKENS)


def _suffix(literal: ox.Literal) -> bytes:
    if literal.language:
        return f"@{literal.language}".encode()
    return b"" if literal.datatype.value == XSD + "string" else f"^^<{literal.datatype.value}>".encode()


def _iri(leaf: str) -> bytes | None:
    return b"<%b>" % leaf.encode() if is_kept_iri(leaf) else None


# In a screened text JSON escapes what canonical N-Quads escape, and as they do: \t \n \r \" \\ and nothing else.
_text: Final = msgspec.json.Encoder().encode
_RENDERS: Final[dict[str, Callable[[Any], bytes | None]]] = {
    BOOLEAN: lambda leaf: b'"true"' if leaf else b'"false"',
    INTEGER: lambda leaf: b'"%d"' % leaf,
    FRACTION: lambda leaf: b'"%b"' % fraction(leaf).encode(),
}
