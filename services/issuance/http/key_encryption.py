"""`/v1/key-encryption` and `/v1/erasures`: the operator's; which epoch seals what, and erasures after a restore."""

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from issuance import reapplying
from issuance.epochs import RingStatus
from issuance.parts import Issuance
from ledger import errors
from ledger.web.routes import requires
from ledger.web.wishes import WishKey, replay_headers


class KeyEncryptionStatus(msgspec.Struct, frozen=True):
    """Both rings, and what makes the erasure horizon, in days."""

    rings: list[RingStatus]
    kek_rotation_days: int
    backup_retention_days: int
    erasure_horizon_days: int


class Ordered(msgspec.Struct, frozen=True):
    """The position of the order, and ring → the epoch that everything is sealed under in a moment."""

    position: int
    epochs: dict[str, int]


class Destroyed(msgspec.Struct, frozen=True):
    """An epoch whose key is destroyed."""

    ring: str
    epoch: int
    destroyed: bool


class Reapplied(msgspec.Struct, frozen=True):
    """How many erasures the list holds, how many of them had come back, and how many of those no event told of."""

    position: int
    listed: int
    reapplied: int
    unrecorded: int


@get("/v1/key-encryption", tags=["Key encryption"], operation_id="getKeyEncryption", opt=requires("vault:read"))
async def get_key_encryption(issuance: NamedDependency[Issuance]) -> KeyEncryptionStatus:
    """Which epochs of the key-encryption keys still seal what, and when an old one may be destroyed."""
    policy = issuance.key_encryption.policy
    horizon = policy.rotation_days + policy.retention_days
    rings = await issuance.key_encryption.status()
    return KeyEncryptionStatus(rings, policy.rotation_days, policy.retention_days, horizon)


@post("/v1/key-encryption/rewrap", tags=["Key encryption"], operation_id="rewrapKeys", status_code=202,
      opt=requires("vault:write"))  # fmt: skip
async def rewrap_keys(
    request: Request[Any, Any, Any], issuance: NamedDependency[Issuance], wish: NamedDependency[WishKey]
) -> Response[Ordered]:
    """Seal everything anew under the current key-encryption keys, now. Nothing waits for it; GET says how far it is."""
    decision = await issuance.key_encryption.order(issuance.wish(request, wish))
    first = decision.events[0]
    epochs: dict[str, int] = first.event.epochs  # type: ignore[attr-defined]
    return Response(
        Ordered(first.position, epochs), status_code=202, headers=replay_headers(replayed=decision.replayed)
    )


@post("/v1/key-encryption/{ring:str}/epochs/{epoch:int}/destruction", tags=["Key encryption"],
      operation_id="destroyEpoch", status_code=200,
      opt=requires("vault:write", errors=(errors.NotFound, errors.Refused)))  # fmt: skip
async def destroy_epoch(
    request: Request[Any, Any, Any],
    ring: FromPath[str],
    epoch: FromPath[int],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[Destroyed]:
    """Record that the key of an old epoch is destroyed; refused while something, or a backup, still needs it. Then take
    it out of every keyring."""
    decision = await issuance.key_encryption.destroy(issuance.wish(request, wish), ring, epoch)
    return Response(Destroyed(ring, epoch, True), headers=replay_headers(replayed=decision.replayed))


@post("/v1/erasures/reapplication", tags=["Learners"], operation_id="reapplyErasures", status_code=200,
      opt=requires("vault:write", errors=(errors.Refused,)))  # fmt: skip
async def reapply_erasures(
    request: Request[Any, Any, Any], issuance: NamedDependency[Issuance], wish: NamedDependency[WishKey]
) -> Response[Reapplied]:
    """Erase again, after a restore, whatever the list outside the backups says was erased."""
    event, position, replayed = await reapplying.reapply(issuance, issuance.wish(request, wish))
    answer = Reapplied(position, event.listed, event.reapplied, event.unrecorded)
    return Response(answer, headers=replay_headers(replayed=replayed))


HANDLERS = [get_key_encryption, rewrap_keys, destroy_epoch, reapply_erasures]
