"""`/v1/keys`: API keys, shown once. Institutions manage their own, the operator everybody's."""

from datetime import timedelta
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from issuance import access_keys
from issuance.access_keys import CreateKey, Holder, RevokeKey, Role, RotateKey
from issuance.parts import Issuance, now
from ledger import errors, ids
from ledger.access import INSTITUTION_ROLES, ROLE_SCOPES, Caller, new_token, scopes_for, secret_hash
from ledger.codec import Recorded, format_time, parse_time
from ledger.events import LEDGER_TENANT, KeyCreated
from ledger.store import Wish
from ledger.web.authority import caller_of
from ledger.web.paging import Page, Paging
from ledger.web.routes import requires
from ledger.web.wishes import WishKey, replay_headers


class NewKey(msgspec.Struct, frozen=True):
    """A key with its secret, which is shown in this answer and never again."""

    id: str
    api_key: str
    name: str
    role: str
    scopes: list[str]
    expires_at: str | None
    institution_id: str | None
    holder: Holder | None = None


class KeyFacts(msgspec.Struct, frozen=True):
    """A key without its secret. What its holder is called is shown to the key's own institution; `test` marks a
    sandbox's."""

    id: str
    name: str
    role: str
    scopes: list[str]
    expires_at: str | None
    revoked: bool
    institution_id: str | None
    test: bool
    holder: Holder | None = None


async def make_key(
    issuance: Issuance, wish: Wish, tenant: str, wanted: CreateKey, *, replaces: str | None = None
) -> tuple[NewKey, bool]:
    """The key of a wish; its secret follows from the command, so that a retry shows the same one."""
    settings = issuance.settings
    role = _role_of(tenant, wanted)
    key_id = ids.derived_id(settings.server_secret, "key", wish.command)
    secret = ids.keyed(settings.server_secret, "credledger/api-secret/v1", wish.command.bytes)
    created = KeyCreated(
        key_id=key_id,
        name=wanted.name,
        role=role,
        scopes=scopes_for(role, wanted.scopes),
        secret_hash=secret_hash(settings.pepper, secret),
        expires_at=format_time(wanted.expires_at) if wanted.expires_at else None,
        replaces=replaces,
        holder=wanted.holder.kind if wanted.holder else None,
    )
    at, label = now(), wanted.holder.label if wanted.holder else None
    decision = await issuance.store.decide(
        f"access/{key_id}", lambda history: access_keys.create(created, history, at=at, holder=label), wish=wish
    )
    maker = decision.events[0].actor["key"] if decision.events else wish.actor.key
    if maker != wish.actor.key and wish.actor.role != "operator":
        raise errors.Forbidden("Another key made this one; its secret is shown to that key alone.")
    token = new_token(key_id, secret, live=not ids.is_sandbox(tenant))
    institution = None if tenant == LEDGER_TENANT else tenant
    # What was recorded: a retry may come with another key, whose own scopes would be the default.
    made = next((r.event for r in decision.events if isinstance(r.event, KeyCreated)), created)
    fixed = (key_id, token, made.name, made.role, made.scopes, made.expires_at, institution)
    own = wish.actor.role != "operator" or tenant == LEDGER_TENANT  # to others, what a holder is called is not shown
    return NewKey(*fixed, holder=wanted.holder if own else None), decision.replayed


def _role_of(tenant: str, wanted: CreateKey) -> str:
    """The role of a new key, by the name that is written down today."""
    if wanted.role is None or wanted.role == "institution":
        return "operator" if tenant == LEDGER_TENANT else "owner"
    return wanted.role


async def _holder(issuance: Issuance, caller: Caller, key_id: str) -> Holder | None:
    """Who holds a key, for a caller of the key's own institution."""
    history = await issuance.store.load_cached(f"access/{key_id}")
    event = history[0].event if history else None
    if not isinstance(event, KeyCreated) or event.holder is None:
        return None
    if (caller.tenant or LEDGER_TENANT) != history[0].tenant:
        return None
    return await _label(issuance, history[0])


async def _label(issuance: Issuance, made: Recorded) -> Holder | None:
    """Who holds the key that this event made, opened from the vault."""
    if not isinstance(made.event, KeyCreated) or made.event.holder is None:
        return None
    opened = await issuance.vault.open(made)
    return msgspec.convert({"kind": made.event.holder, "label": opened[access_keys.HOLDER]}, Holder)


@post(
    "/v1/keys",
    tags=["API keys"],
    operation_id="createKey",
    opt=requires("keys:write", errors=(errors.NotFound,)),
    status_code=201,
)
async def create_key(
    request: Request[Any, Any, Any],
    data: JSONBody[CreateKey],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[NewKey]:
    """Make a key. An institution makes keys of its own; the operator also for an institution, or for an auditor."""
    caller = caller_of(request)
    tenant = await _tenant_of(issuance, caller, data)
    wanted = msgspec.structs.replace(data, scopes=_granted(caller, tenant, data))
    answer, replayed = await make_key(issuance, issuance.wish(request, wish, tenant), tenant, wanted)
    return Response(answer, status_code=201, headers=replay_headers(replayed=replayed))


@get("/v1/keys", tags=["API keys"], operation_id="listKeys", opt=requires("keys:read"))
async def list_keys(
    request: Request[Any, Any, Any],
    issuance: NamedDependency[Issuance],
    paging: NamedDependency[Paging],
    test: Annotated[bool | None, QueryParameter(description="Keys of sandboxes alone, or all others alone.")] = None,
) -> Response[Page[KeyFacts]]:
    """The caller's keys, never their secrets."""
    await issuance.caught_up()
    caller = caller_of(request)
    after = str(paging.after[0]) if paging.after else ""
    rows = await issuance.store.pool.fetch(LIST, caller.tenant, after, paging.limit + 1, test)
    found = [
        KeyFacts(
            r["key_id"], r["name"], r["role"], list(r["scopes"]),
            format_time(r["expires_at"]) if r["expires_at"] else None, r["revoked"],
            None if r["tenant"] == LEDGER_TENANT else r["tenant"],
            ids.is_sandbox(r["tenant"]),
            await _holder(issuance, caller, r["key_id"]),
        )
        for r in rows
    ]  # fmt: skip
    return paging.answer(found, place=lambda key: [key.id])


@post("/v1/keys/{key_id:str}/rotation", tags=["API keys"],
     operation_id="rotateKey", status_code=201,
      opt=requires("keys:write", errors=(errors.NotFound, errors.Refused)))  # fmt: skip
async def rotate_key(
    request: Request[Any, Any, Any],
    key_id: FromPath[str],
    data: JSONBody[RotateKey],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[NewKey]:
    """A new key with the same name, role, scopes and end; the old one ends after the overlap."""
    caller = caller_of(request)
    tenant, history = await _own_key(issuance, caller, key_id)
    at, first = now(), issuance.wish(request, wish, tenant)
    if (earlier := await issuance.store.earlier(first)) is None:
        access_keys.living(history, at=at)
    old = access_keys.key_of(history)
    assert old is not None  # noqa: S101 - _own_key found its first event
    ends = parse_time(old.expires_at) if old.expires_at and earlier is None else None
    wanted = CreateKey(
        name=old.created.name,
        scopes=old.created.scopes,
        expires_at=ends,
        role=msgspec.convert(old.created.role, Role),
        holder=await _label(issuance, history[0]),
    )
    _granted(caller, tenant, wanted)
    answer, replayed = await make_key(issuance, first, tenant, wanted, replaces=key_id)
    overlap = timedelta(seconds=data.overlap_seconds)
    ending = issuance.follow_up(first, "end-key", tenant)
    if earlier is None or not _ended_by(history, ending):
        await issuance.store.decide(
            f"access/{key_id}", lambda events: access_keys.end(overlap, events, at=at), wish=ending
        )
    return Response(answer, status_code=201, headers=replay_headers(replayed=replayed))


@post("/v1/keys/{key_id:str}/revocation", tags=["API keys"],
     operation_id="revokeKey", status_code=200,
      opt=requires("keys:write", errors=(errors.NotFound,)))  # fmt: skip
async def revoke_key(
    request: Request[Any, Any, Any],
    key_id: FromPath[str],
    data: JSONBody[RevokeKey],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[KeyFacts]:
    """Kill a key; it is refused by every service within a second."""
    tenant, _ = await _own_key(issuance, caller_of(request), key_id)
    at = now()
    decision = await issuance.store.decide(
        f"access/{key_id}",
        lambda history: access_keys.revoke(data, history, at=at),
        wish=issuance.wish(request, wish, tenant),
    )
    await issuance.caught_up()  # dead here before the answer; elsewhere within a second
    state = access_keys.key_of(await issuance.store.load(f"access/{key_id}"))
    if state is None:
        raise errors.NotFound("There is no such key.")
    made, institution = state.created, None if tenant == LEDGER_TENANT else tenant
    facts = KeyFacts(key_id, made.name, made.role, made.scopes, state.expires_at, True, institution,
                     ids.is_sandbox(tenant), await _holder(issuance, caller_of(request), key_id))  # fmt: skip
    return Response(facts, headers=replay_headers(replayed=decision.replayed))


async def _tenant_of(issuance: Issuance, caller: Caller, wanted: CreateKey) -> str:
    """For whom a key is made. Raises Forbidden or NotFound."""
    institutions_own = wanted.role in (None, "institution", *INSTITUTION_ROLES)
    if caller.tenant is not None:
        if wanted.institution_id not in (None, caller.tenant) or not institutions_own:
            raise errors.Forbidden("An institution makes keys of its own only.")
        return caller.tenant
    if wanted.institution_id is None:
        if wanted.role not in (None, "operator", "auditor"):
            raise errors.Forbidden(f"A key with the role {wanted.role} belongs to an institution; name it.")
        return LEDGER_TENANT
    if not institutions_own:
        raise errors.Forbidden("The operator's role is none of an institution.")
    await issuance.institution(wanted.institution_id)
    return wanted.institution_id


def _granted(caller: Caller, tenant: str, wanted: CreateKey) -> list[str]:
    """The scopes of a new key; by default those of its role that the caller's key has itself. Raises Malformed or
    Forbidden.

    The operator opens an institution's door without being able to go through it: those scopes are not its own.
    """
    role = _role_of(tenant, wanted)
    if caller.tenant is None and tenant != LEDGER_TENANT:
        return scopes_for(role, wanted.scopes)
    scopes = scopes_for(role, wanted.scopes) if wanted.scopes else sorted(caller.scopes & ROLE_SCOPES[role])
    if not scopes or not set(scopes) <= caller.scopes:
        raise errors.Forbidden("A key cannot make a key that opens more than itself.")
    return scopes


async def _own_key(issuance: Issuance, caller: Caller, key_id: str) -> tuple[str, Any]:
    history = await issuance.store.load(f"access/{key_id}")
    if not history or caller.tenant not in (None, history[0].tenant):
        raise errors.NotFound("There is no such key.")
    return history[0].tenant, history


def _ended_by(history: Any, wish: Wish) -> bool:
    return any(recorded.command_id == wish.command for recorded in history)


LIST = """
SELECT key_id, tenant, role, name, scopes, expires_at, revoked FROM issuance.api_keys
WHERE ($1::text IS NULL OR tenant = $1) AND key_id > $2
  AND ($4::boolean IS NULL OR starts_with(tenant, 'test_') = $4)
ORDER BY key_id LIMIT $3
"""
HANDLERS = [create_key, list_keys, rotate_key, revoke_key]
