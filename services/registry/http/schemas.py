"""`/schemas/{topic}.v{n}.json`: JSON Schema of each event's public form, as messages, feed and history carry it."""

import re
from typing import Any

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from ledger.errors import NotFound
from ledger.events import EVENTS, Event, public_type
from ledger.web import conditional, public
from registry.http.answers import AnyRequest, described
from registry.parts import Registry

MEDIA_TYPE = "application/schema+json"
NAME = re.compile(r"([a-z_]+\.[a-z_]+)\.v([1-9][0-9]*)\.json")


@get("/schemas/{name:str}", operation_id="readEventSchema", opt=public(errors=[NotFound]), tags=["History"],
     responses=described(dict[str, Any], "The schema.", MEDIA_TYPE))  # fmt: skip
async def read_schema(request: AnyRequest, name: FromPath[str], registry: NamedDependency[Registry]) -> Response[bytes]:
    """The JSON Schema (2020-12) of an event type's public form, such as `award.awarded.v1.json`."""
    match = NAME.fullmatch(name)
    event_type = EVENTS.get(match[1]) if match else None
    if match is None or event_type is None or int(match[2]) != event_type.VERSION:
        raise NotFound("There is no such event type.")
    content = msgspec.json.encode(schema_of(event_type, registry.settings.public_url), order="deterministic")
    return conditional(request, content, media_type=MEDIA_TYPE, headers={"cache-control": "public, max-age=3600"})


def schema_of(event_type: type[Event], public_url: str) -> dict[str, Any]:
    """The schema of a type's public form: fields that stay inside are not in it."""
    (reference,), components = msgspec.json.schema_components([event_type], ref_template="#/$defs/{name}")
    definitions: dict[str, Any] = dict(components)
    own = definitions.pop(reference["$ref"].rpartition("/")[2])
    properties = {name: value for name, value in own["properties"].items() if name not in event_type.PRIVATE}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{public_url}/schemas/{event_type.TOPIC}.v{event_type.VERSION}.json",
        **own,
        "title": public_type(event_type),
        "properties": properties,
    }
    used = {name: value for name, value in definitions.items() if f"#/$defs/{name}" in str(properties)}
    return {**schema, "$defs": used} if used else schema


HANDLERS = [read_schema]
