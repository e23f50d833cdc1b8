"""`/v1/sandbox`: the sandbox that every institution has, and a key to it."""

from typing import Any

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from issuance import institutions, sandboxes
from issuance.access_keys import CreateKey
from issuance.http.keys import NewKey, make_key
from issuance.institutions import Institution
from issuance.parts import Issuance, now
from ledger import errors, ids
from ledger.access import Caller
from ledger.dids import did_for
from ledger.errors import FieldError
from ledger.store import Wish
from ledger.web.authority import caller_of
from ledger.web.routes import requires
from ledger.web.wishes import WishKey, replay_headers

KEY_NAME = "sandbox key"


class OpenSandbox(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose sandbox: the operator names an institution, an institution has its own."""

    institution_id: str | None = None


class Sandbox(msgspec.Struct, frozen=True, kw_only=True):
    """An institution's sandbox, and a key that opens it and nothing else. The key is shown in this answer alone."""

    id: str
    slug: str
    did: str
    institution_id: str
    api_key: str
    api_key_id: str


@post("/v1/sandbox", tags=["Sandbox"], operation_id="openSandbox", status_code=201,
      opt=requires("keys:write", errors=(errors.NotFound, errors.Refused)))  # fmt: skip
async def open_sandbox(
    request: Request[Any, Any, Any],
    data: JSONBody[OpenSandbox],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[Sandbox]:
    """A new key to the sandbox: a tenant of its own in which documents, pages, events and answers say TEST, and from
    which nothing reaches the institution. One that joined before there were sandboxes gets it now."""
    institution = await issuance.institution(_whose(caller_of(request), data))
    tenant = ids.sandbox_of(institution.id)
    decided = issuance.wish(request, wish, tenant)
    sandbox = await opened(issuance, issuance.follow_up(decided, "sandbox", tenant), institution)
    key, replayed = await make_key(issuance, decided, tenant, CreateKey(KEY_NAME))
    return Response(answer_for(sandbox, key), status_code=201, headers=replay_headers(replayed=replayed))


async def opened(issuance: Issuance, wish: Wish, institution: Institution) -> Institution:
    """The institution's sandbox, opened by this wish of the sandbox's tenant where it was not there. Raises Refused."""
    secret, slug = issuance.settings.server_secret, sandboxes.slug_of_sandbox(institution.slug)
    stream = f"institution/{wish.tenant}"
    if history := await issuance.store.load(stream):
        return institutions.existing(history)
    did, at = did_for(issuance.settings.public_url, slug), now()
    keys = [await _new_key(issuance, wish, algorithm) for algorithm in institutions.ALGORITHMS]
    await issuance.store.decide(
        stream,
        lambda *histories: sandboxes.open_sandbox(*histories, did=did, keys=keys, at=at),
        wish=wish,
        reads=[f"institution/{institution.id}", f"institution/{ids.named_id(secret, ids.INSTITUTION, slug)}"],
    )
    return await issuance.institution(wish.tenant)


def answer_for(sandbox: Institution, key: NewKey) -> Sandbox:
    """What the API says of a sandbox and a key that was made for it just now."""
    return Sandbox(
        id=sandbox.id,
        slug=sandbox.slug,
        did=sandbox.did,
        institution_id=ids.institution_behind(sandbox.id),
        api_key=key.api_key,
        api_key_id=key.id,
    )


def _whose(caller: Caller, wanted: OpenSandbox) -> str:
    """The institution whose sandbox is asked for. Raises Forbidden, Malformed or NotFound."""
    if caller.is_sandbox:
        raise errors.Forbidden("This is the key of a sandbox, which has none of its own; make keys of it at /v1/keys.")
    if caller.tenant is not None:
        if wanted.institution_id not in (None, caller.tenant):
            raise errors.NotFound("There is no such institution.")
        return caller.tenant
    if wanted.institution_id is None:
        where = [FieldError("/institution_id", "is required with the operator's key")]
        raise errors.Malformed("Say whose sandbox it shall be.", errors=where)
    if ids.is_sandbox(wanted.institution_id):
        raise errors.NotFound("There is no such institution.")
    return wanted.institution_id


async def _new_key(issuance: Issuance, wish: Wish, algorithm: str) -> institutions.NewKey:
    """A key in the vault that no event names yet; a retry finds the same one."""
    key_id = ids.derived_id(issuance.settings.server_secret, "key", wish.command, algorithm)
    return institutions.NewKey(key_id, algorithm, await issuance.keys.create(wish.tenant, key_id, algorithm))


HANDLERS = [open_sandbox]
