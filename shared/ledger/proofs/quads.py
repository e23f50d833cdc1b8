"""RDFC-1.0 of statements that are at hand, by pyoxigraph. A graph can be made that takes for ever."""

import pyoxigraph as ox


def canonical_quads(dataset: ox.Dataset) -> bytes:
    """The canonical N-Quads of a data set, which is relabelled in place."""
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    lines = ox.serialize(dataset, format=ox.RdfFormat.N_QUADS) or b""
    # As bytes: str.splitlines would also cut at U+2028 and U+0085, and the order of UTF-8 is that of code points.
    return b"".join(sorted(lines.splitlines(keepends=True)))
