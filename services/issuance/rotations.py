"""Signing keys rotate by their institution's schedule: a follower in every process, once whoever is first.

The command follows from the institution and the keys that are due, so the new keys have the same names wherever it
runs.
"""

import asyncio
from contextlib import suppress

import structlog

from issuance import institutions, signing_keys
from issuance.clock import now
from issuance.institutions import NewKey
from issuance.parts import Issuance
from issuance.signing import TRANSIENT
from ledger import errors, ids
from ledger.codec import Actor
from ledger.store import Wish

SWEEP_SECONDS = 5.0

log = structlog.get_logger()


async def sweep(issuance: Issuance) -> None:
    """For ever: rotate what is due."""
    while True:
        with suppress(*TRANSIENT):
            for row in await issuance.store.pool.fetch("SELECT tenant FROM issuance.key_schedules"):
                await _rotate(issuance, row["tenant"])
        await asyncio.sleep(SWEEP_SECONDS)


async def new_key(issuance: Issuance, wish: Wish, tenant: str, algorithm: str) -> NewKey:
    """A key in the vault that no event names yet; a retry finds the same one."""
    key_id = ids.derived_id(issuance.settings.server_secret, "key", wish.command, algorithm)
    return NewKey(key_id, algorithm, await issuance.keys.create(tenant, key_id, algorithm))


async def _rotate(issuance: Issuance, tenant: str) -> None:
    stream, at = f"institution/{tenant}", now()
    history = await issuance.store.load(stream)
    if not signing_keys.is_due(history, at=at):
        return
    old = [institutions.existing(history).key(algorithm).id for algorithm in institutions.ALGORITHMS]
    wish = Wish(
        tenant=tenant,
        command=ids.caused_command(issuance.settings.server_secret, "scheduled rotation", f"{tenant}/{'/'.join(old)}"),
        actor=Actor(key="issuance", role="service"),
    )
    new = [await new_key(issuance, wish, tenant, algorithm) for algorithm in institutions.ALGORITHMS]
    with suppress(errors.Refused):  # suspended or closed in this very moment
        decision = await issuance.store.decide(
            stream, lambda seen: signing_keys.rotate_due(seen, new=new, at=at), wish=wish
        )
        if decision.events and not decision.replayed:
            log.info("signing keys rotated by schedule", tenant=tenant)
