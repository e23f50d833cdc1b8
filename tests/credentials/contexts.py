"""The JSON-LD contexts as installed packages hold them, for PyLD as an independent reader; nothing is fetched."""

import json
from importlib.resources import files
from typing import Any

_HELD = {
    "https://www.w3.org/ns/credentials/v2": "credentials-v2.json",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json": "ob-v3p0-context-3.0.3.json",
    "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json": "ob-v3p0-extensions.json",
}


def bundled_loader(url: str, options: Any) -> dict[str, Any]:
    text = (files("openbadgeslib") / "ob3" / "contexts" / _HELD[url]).read_text()
    return {"contextUrl": None, "documentUrl": url, "document": json.loads(text), "contentType": "application/ld+json"}
