"""RDF Dataset Canonicalization (RDFC-1.0, W3C 2024) of JSON-LD documents: the general path, exact for every shape.

    screen → skeleton and shape (coverage) → contexts inlined → pyoxigraph: JSON-LD to RDF, RDFC-1.0 → lines, sorted

Contexts are 95 % of the cost: the shape of a document, cached, has them pruned to what it uses, proven equal. Numbers
are written as JSON-LD 1.1 (§8.6) demands where pyoxigraph differs: a fraction as C's `%1.15E`. A graph with many
blank nodes that look alike can take for ever, and nothing can interrupt it: foreign documents belong into
`ledger.canonicaliser`.

A skeleton that is known has a plan (`ledger.proofs.plan`), which gives the same bytes in a tenth of the time or less.
What `screen_terms` and coverage refuse depends on the skeleton alone: a document that has a plan has passed both.
"""

import functools
from typing import Any, Final

import msgspec
import pyoxigraph as ox

from ledger.proofs import terms
from ledger.proofs.inline_contexts import screen_context
from ledger.proofs.lexical import datatype_of_fraction, fraction, is_kept_iri
from ledger.proofs.plan import Way
from ledger.proofs.plans import Plans
from ledger.proofs.problems import DATA_LOSS, RANGE, CannotSay, ProofError, pointer
from ledger.proofs.quads import canonical_quads
from ledger.proofs.screen import screen_json, screen_terms
from ledger.proofs.shapes import QUADS_LIMIT, Shape, json_ld_rules, shape_of
from ledger.proofs.skeleton import FRACTION, LEAVES, Filling, Leaf, Part, parts, taken_apart

PLANS: Final = Plans()


def canonical(document: dict[str, Any], *, own: bool = False, plain: bool | None = None, plans: Plans = PLANS) -> bytes:
    """The canonical N-Quads of a document, UTF-8, each line ended by LF.

    Raises ProofError, with a JSON pointer, for whatever would be dropped or read apart by others; `own` documents, the
    ones that we sign, are held to less (see `ledger.proofs.screen`), and their IRIs to ASCII URIs of listed schemes.
    `plain` is what `screen_json` said, where it was asked before.
    """
    if plain is None:
        plain = screen_json(document, own=own)
    if plain and (apart := _taken_apart_unscreened(document, own=own)):
        return plans.canonical(*apart, lambda: general(document, own=own), at_once=own)
    plans.counts[Way.NOT_PLAIN] += 1
    return general(document, own=own)


def general(document: dict[str, Any], *, own: bool = False) -> bytes:
    """What `canonical` gives, always by the general path, for a document that has passed `screen_json`."""
    screen_terms(document, own=own)
    skeleton, leaves = taken_apart(document)
    shape = shape_of(skeleton)
    odd = [index for index, slot in enumerate(shape.slots) if slot is None and not is_kept_iri(leaves[index])]
    for index in odd:
        if own or not isinstance(leaves[index], str):
            raise _bad_iri(skeleton, index)
    # A pruned context may lack a prefix that an odd IRI begins with.
    contexts = shape.whole if odd else shape.pruned
    text = msgspec.json.encode(_for_rdf(document, skeleton, leaves, shape, contexts))
    with json_ld_rules():
        dataset = ox.Dataset(ox.parse(text, format=ox.RdfFormat.JSON_LD))
    if len(dataset) > QUADS_LIMIT:
        raise CannotSay(f"The document makes more than {QUADS_LIMIT} statements.", problem=RANGE)
    if odd:
        _check_odd(skeleton, leaves, odd, dataset)
    return canonical_quads(dataset)


def sorts_alike(canonical: bytes) -> bool:
    """Whether UTF-16 order gives the same lines: common JavaScript verifiers sort so, and would refuse what differs."""
    lines = canonical.decode().split("\n")
    return lines == sorted(lines[:-1], key=lambda line: line.encode("utf-16-be")) + lines[-1:]


def _taken_apart_unscreened(document: dict[str, Any], *, own: bool) -> tuple[Part, list[Leaf]] | None:
    """A plain document's skeleton and leaves; None where there is something that the screen will refuse."""
    if type(document) is not dict:
        return None
    try:
        return taken_apart(document, lambda context: _screened_terms(terms.context_key(context), own))
    except ProofError:
        return None


@functools.lru_cache(maxsize=256)
def _screened_terms(key: str, own: bool) -> terms.Terms:
    context = msgspec.json.decode(key)
    screen_context(context, (), own=own)
    return terms.terms_of(context)


def _for_rdf(
    document: dict[str, Any], skeleton: Part, leaves: list[Leaf], shape: Shape, contexts: tuple[bytes, ...]
) -> Any:
    if shape.simple:
        return {**document, "@context": msgspec.Raw(contexts[0])}
    kinds = [kind for kind, _, _ in parts(skeleton) if kind in LEAVES]
    written = [
        _number(leaf, slot) if kind == FRACTION else leaf
        for kind, leaf, slot in zip(kinds, leaves, shape.slots, strict=True)
    ]
    return Filling(written, contexts).of(skeleton)


def _number(leaf: Leaf, slot: str | None) -> Any:
    """A number that was written with a point, as JSON-LD 1.1 §8.6 turns it into a literal."""
    number = float(leaf)
    if number.is_integer():
        return int(number)
    return {"@value": fraction(number), "@type": datatype_of_fraction(slot)}


def _check_odd(skeleton: Part, leaves: list[Leaf], odd: list[int], quads: ox.Dataset) -> None:
    """An IRI of another scheme or script is fine where it comes out as it went in; otherwise it was dropped, made from
    a prefix, or taken for a blank node."""
    came = {term.value for quad in quads for term in (quad.subject, quad.object) if isinstance(term, ox.NamedNode)}
    for index in odd:
        if leaves[index] not in came:
            raise _bad_iri(skeleton, index)


def _bad_iri(skeleton: Part, index: int) -> ProofError:
    paths = [path for kind, _, path in parts(skeleton) if kind in LEAVES]
    return ProofError(DATA_LOSS, "This must be an absolute IRI, well-formed; RDF would drop it.", pointer(paths[index]))
