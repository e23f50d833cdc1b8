"""Compromised keys are destroyed, whatever happens to the request that reported them: a follower finishes what a crash
left. The event comes first; until the key is gone it signs nothing, since no award names it any more."""

import asyncio
from contextlib import suppress

import structlog

from issuance.parts import Issuance
from issuance.signing import TRANSIENT

SWEEP_SECONDS = 5.0

log = structlog.get_logger()


async def sweep(issuance: Issuance) -> None:
    """For ever: destroy the private keys that are known to be compromised and still lie in the vault."""
    while True:
        with suppress(*TRANSIENT):
            for row in await issuance.store.pool.fetch(LEFT):
                await issuance.keys.destroy(row["key_id"])
                log.info("compromised key destroyed", key=row["key_id"])
        await asyncio.sleep(SWEEP_SECONDS)


LEFT = "SELECT key_id FROM issuance.compromised_keys JOIN vault.signing_keys USING (key_id)"
