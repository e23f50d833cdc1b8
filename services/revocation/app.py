"""Revocation, wired: which handlers, which parts, which followers. No logic."""

import asyncio

from litestar import Litestar

from ledger.access import AccessProjection, Keys, Tokens, access_tables
from ledger.approvals import ApprovalProjection, Approvals, approval_tables
from ledger.bus import Bus
from ledger.connected import connected
from ledger.health import Figures, checks
from ledger.keyring import Keyring
from ledger.keys import signing_keys_for
from ledger.lifetime import Lifetime, Ready
from ledger.opening import opened
from ledger.projector import Projector
from ledger.settings import Settings, Token
from ledger.store import Store
from ledger.tables import lay_out
from ledger.web import Service, application
from revocation import commanded, proposing
from revocation.http import approvals, many, standings, status_lists
from revocation.lists import leasing
from revocation.lists.leasing import Leasing
from revocation.lists.projection import ListProjection
from revocation.lists.publisher import Publisher
from revocation.lists.reading import Lists
from revocation.lists.signing import ListSigner
from revocation.parts import Revocation
from revocation.sealing import BusSealer

HANDLERS = [*standings.HANDLERS, *many.HANDLERS, *approvals.HANDLERS, *status_lists.HANDLERS]
TAGS = {
    "Standings": "Suspend, reinstate and revoke one's own awards.",
    "Approvals": "Revocations that wait for a second key, where the institution wants that.",
    "Status lists": "What verifiers read: signed Bitstring Status Lists, without a login.",
}


def app(settings: Settings) -> Litestar:
    """The service for these settings."""
    api_keys = Keys("revocation", settings.pepper, Tokens(settings.server_secret, settings.public_url))

    async def work(ready: Ready[Revocation]) -> None:
        await run(settings, api_keys, ready)

    lifetime = Lifetime("revocation", work)
    return application(
        settings,
        Service(
            title="credledger revocation",
            description="The standing of awards, and the status lists that publish it.",
            handlers=HANDLERS,
            keys=api_keys,
            dependencies={"revocation": lifetime.dependency()},
            lifespan=[lifetime.lifespan],
            ready=checks(lifetime),
            collectors=[Figures(lifetime)],
            tags=TAGS,
        ),
    )


async def run(settings: Settings, api_keys: Keys, ready: Ready[Revocation]) -> None:
    """Open the parts, say so, and follow the log until cancelled or something breaks."""
    async with connected(settings) as (bus, store):
        store.use_sealer(BusSealer(bus))
        await opened(store, settings)
        await _follow(settings, api_keys, bus, store, ready)


def projections_for(
    store: Store, status_url: str, signing_kek: Keyring, api_keys: Keys | None = None, token: Token | None = None
) -> tuple[ListProjection, AccessProjection, ApprovalProjection]:
    """The service's projections. Lists are signed on the way."""
    keys = signing_keys_for(store.pool, signing_kek, token)
    return (
        ListProjection(ListSigner(status_url, keys), keys.forget),
        AccessProjection("revocation", api_keys),
        ApprovalProjection("revocation", "standing"),
    )


async def _follow(settings: Settings, api_keys: Keys, bus: Bus, store: Store, ready: Ready[Revocation]) -> None:
    await lay_out(store.pool, "revocation", access_tables("revocation"), approval_tables("revocation"))
    if settings.signing_kek is None:
        raise RuntimeError("revocation needs the key-encryption key of the signing keys")
    projections = projections_for(store, settings.status_url, settings.signing_kek, api_keys, settings.pkcs11)
    lists, followers = projections[0], tuple(Projector(projection, store, bus) for projection in projections)
    publisher = Publisher(store, followers[0], settings.server_secret)
    parts = Revocation(
        settings=settings,
        store=store,
        bus=bus,
        lists=Lists(store, followers[0], lists.signer),
        approvals=Approvals(store, "revocation", "standing"),
        projectors=followers,
    )
    api_keys.attach(store.pool, parts.caught_up)
    await leasing.serve(bus, Leasing(store, settings.server_secret), parts.lists)
    await commanded.serve(bus, parts)
    async with asyncio.TaskGroup() as group:
        for projector in followers:
            group.create_task(projector.run())
        group.create_task(publisher.run())
        group.create_task(proposing.sweep(parts))
        ready(parts)
