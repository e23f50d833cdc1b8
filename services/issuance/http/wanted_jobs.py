"""What a list that is handed in asks for: its parameters, its bytes, and whether the key may."""

import asyncio
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request
from litestar.params import QueryParameter

from issuance import intake
from issuance.jobs import rows
from issuance.jobs.rows import LAYOUTS, Form, Kind, Sent
from issuance.mapping import Mapping, versions
from issuance.parts import Issuance, own_tenant
from ledger import errors
from ledger.access import Caller
from ledger.class_list import parse_columns

CSV, NDJSON, ZIP = "text/csv", "application/x-ndjson", "application/zip"
FORMS: dict[str, Form] = {CSV: "csv", NDJSON: "ndjson", ZIP: "csv"}
SCOPES = {
    "awards": "awards:write",
    "results": "results:write",
    "mapped": "results:write",
    "revocations": "standings:write",
    "suspensions": "standings:write",
}


class WantedJob(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done with the list in the body."""

    kind: Kind
    achievement_id: str | None
    columns: str
    on_duplicate: str | None
    reason_code: str | None
    mapping_id: str | None
    mapping_version: int | None
    dry_run: bool


async def wanted_job(
    kind: Annotated[Kind, QueryParameter(description="What each row wishes for.")],
    achievement_id: Annotated[
        str | None, QueryParameter(pattern=r"^ach_[a-z2-7]{26}$", description="For rows that name none.")
    ] = None,
    columns: Annotated[
        str, QueryParameter(max_length=2000, description="Which heading holds what: `email=E-Mail,name=Name`.")
    ] = "",
    on_duplicate: Annotated[
        Literal["refuse", "return", "allow"] | None, QueryParameter(description="For rows that do not say.")
    ] = None,
    reason_code: Annotated[str | None, QueryParameter(max_length=64, description="For rows that give none.")] = None,
    mapping_id: Annotated[
        str | None, QueryParameter(pattern=r"^map_[a-z2-7]{26}$", description="What reads the export, for `mapped`.")
    ] = None,
    mapping_version: Annotated[
        int | None, QueryParameter(ge=1, description="A version of it; by default the newest.")
    ] = None,
    dry_run: Annotated[bool, QueryParameter(description="Stop after the check, until it is started.")] = False,
) -> WantedJob:
    """The dependency `wanted`."""
    return WantedJob(
        kind=kind,
        achievement_id=achievement_id,
        columns=columns,
        on_duplicate=on_duplicate,
        reason_code=reason_code,
        mapping_id=mapping_id,
        mapping_version=mapping_version,
        dry_run=dry_run,
    )


async def mapping_for(issuance: Issuance, caller: Caller, wanted: WantedJob) -> Mapping:
    """The mapping that reads an export. Raises Malformed, NotFound, Refused or Forbidden."""
    if wanted.mapping_id is None:
        raise errors.Malformed("A job of the kind mapped names its mapping_id.")
    if wanted.achievement_id or wanted.columns or wanted.on_duplicate or wanted.reason_code:
        raise errors.Malformed("A mapped list is read by its mapping alone; leave the other parameters out.")
    state = await intake.mapping_state(issuance, own_tenant(caller), wanted.mapping_id)
    mapping = versions.version_of(state, wanted.mapping_version)
    if state.withdrawn:
        raise errors.Refused("This mapping was withdrawn.")
    if mapping.source == "xapi":
        raise errors.Refused("Statements are sent to /xapi/statements; this mapping reads no files.")
    check_mapping(caller, mapping)
    return mapping


def check_mapping(caller: Caller, mapping: Mapping) -> None:
    """Who lets a mapping award must be allowed to award. Raises Forbidden."""
    if any("award" in rule.gives for rule in mapping.definition.rules) and "awards:write" not in caller.scopes:
        raise errors.Forbidden("The mapping awards: this needs a key that holds the scope awards:write.")


async def sent_in(request: Request[Any, Any, Any], wanted: WantedJob, mapping: Mapping | None) -> Sent:
    """The list in the body. Raises Malformed."""
    content, media_type = await request.body(), request.content_type[0].lower()
    if mapping is not None:
        return await asyncio.to_thread(rows.read_mapped, content, mapping)
    if media_type == ZIP:
        raise errors.UnsupportedMedia("An archive is read by a mapping: kind=mapped.")
    if wanted.mapping_id is not None or wanted.mapping_version is not None:
        raise errors.Malformed("A mapping reads jobs of the kind mapped only.")
    columns = parse_columns(wanted.columns, LAYOUTS[wanted.kind]) if wanted.columns else {}
    form = FORMS[media_type]
    return await asyncio.to_thread(rows.read, content, form, wanted.kind, columns, wanted.achievement_id)


def check_scope(caller: Caller, kind: str) -> None:
    """A list can do nothing that its key cannot do row by row."""
    if SCOPES[kind] not in caller.scopes:
        raise errors.Forbidden(f"A job of {kind} needs a key that holds the scope {SCOPES[kind]}.")
