"""An institution's signing keys on their way between vaults, sealed; the operator's."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from issuance import ceremonies
from issuance.parts import Issuance
from ledger import errors
from ledger.keys import NotExtractable
from ledger.keys.ceremony import Export
from ledger.web.routes import requires
from ledger.web.wishes import WishKey, replay_headers


class ExportKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who alone may open the file: an X25519 public key, 32 bytes in base64url without padding."""

    recipient: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{43}$")]


class Recipient(msgspec.Struct, frozen=True):
    """The public key that a file for this vault is sealed for."""

    recipient: str


class ImportedKeys(msgspec.Struct, frozen=True):
    """The keys of the file, all of them in this vault now, and the position of the fact that says so."""

    imported: list[str]
    position: int


@get("/v1/key-encryption/recipient", tags=["Key encryption"], operation_id="getImportRecipient",
     opt=requires("vault:read"))  # fmt: skip
async def get_recipient(issuance: NamedDependency[Issuance]) -> Recipient:
    """For whom a file with signing keys is sealed that this vault is to take in."""
    return Recipient(ceremonies.recipient(issuance))


@post("/v1/institutions/{institution_id:str}/signing-key-exports", tags=["Key encryption"],
      operation_id="exportSigningKeys", status_code=200,
      opt=requires("vault:write", errors=(errors.NotFound, errors.Refused, NotExtractable)))  # fmt: skip
async def export_signing_keys(
    request: Request[Any, Any, Any],
    institution_id: FromPath[str],
    data: JSONBody[ExportKeys],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Export:
    """Take an institution's private signing keys out, sealed for one recipient (HPKE). A retry seals them anew: the
    answer's `sealed` differs each time, what it holds does not."""
    return await ceremonies.export(issuance, issuance.wish(request, wish, institution_id), data.recipient)


@post("/v1/institutions/{institution_id:str}/signing-key-imports", tags=["Key encryption"],
      operation_id="importSigningKeys", status_code=200,
      opt=requires("vault:write", errors=(errors.NotFound, errors.Refused)))  # fmt: skip
async def import_signing_keys(
    request: Request[Any, Any, Any],
    institution_id: FromPath[str],
    data: JSONBody[Export],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[ImportedKeys]:
    """Put an institution's signing keys into this vault, from a file that is sealed for it. Each must belong to the
    public key that the log holds; a key that is there stays as it is."""
    key_ids, decision = await ceremonies.take_in(issuance, issuance.wish(request, wish, institution_id), data)
    answer = ImportedKeys(key_ids, decision.events[0].position)
    return Response(answer, headers=replay_headers(replayed=decision.replayed))


HANDLERS = [get_recipient, export_signing_keys, import_signing_keys]
