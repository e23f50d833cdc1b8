"""PyLD as an independent reader of JSON-LD; no network."""

from typing import Any

import pyoxigraph as ox
from pyld import jsonld

from ledger import contexts
from ledger.proofs import rdfc


def by_pyld(document: dict[str, Any]) -> bytes:
    """Canonical lines from PyLD's reading of JSON-LD."""

    def loader(url: str, _: Any) -> dict[str, Any]:
        return {
            "contextUrl": None,
            "documentUrl": url,
            "document": contexts.context(url),
            "contentType": "application/ld+json",
        }

    options = {"documentLoader": loader, "format": "application/n-quads", "rdfDirection": "i18n-datatype"}
    lines = jsonld.to_rdf(document, options)
    return rdfc.canonical_quads(ox.Dataset(ox.parse(lines.encode(), format=ox.RdfFormat.N_QUADS)))
