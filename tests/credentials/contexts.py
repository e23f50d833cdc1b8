"""The JSON-LD contexts as installed packages hold them, for PyLD as an independent reader; nothing is fetched."""

import json
from importlib.resources import files
from typing import Any

from pyld import jsonld

_HELD = {
    "https://www.w3.org/ns/credentials/v2": "credentials-v2.json",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json": "ob-v3p0-context-3.0.3.json",
    "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json": "ob-v3p0-extensions.json",
}


def bundled_loader(url: str, options: Any) -> dict[str, Any]:
    text = (files("openbadgeslib") / "ob3" / "contexts" / _HELD[url]).read_text()
    return {"contextUrl": None, "documentUrl": url, "document": json.loads(text), "contentType": "application/ld+json"}


def undefined_in(document: dict[str, Any]) -> set[str]:
    """The texts that PyLD loses when it expands `document`, since no context defines what they stand under."""
    kept = set(_leaves(jsonld.expand(document, {"documentLoader": bundled_loader})))
    # Types come out as IRIs that hold their names.
    return {leaf for leaf in _leaves({**document, "@context": []}) if not any(leaf in end for end in kept)}


def _leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [leaf for member in value.values() for leaf in _leaves(member)]
    if isinstance(value, list):
        return [leaf for member in value for leaf in _leaves(member)]
    return [value] if isinstance(value, str) else []
