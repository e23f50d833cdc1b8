"""Revocation over NATS: leases and lists are answered, free text is sealed by issuance, errors are answers."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest
from tests import servers
from tests.revocation.reader import bit, fetched
from tests.revocation.world import KEK, SECRET, Institution, World, bearer, settings_for
from tests.servers import NatsServer

from issuance import sealing
from ledger.bus import Bus
from ledger.codec import Recorded
from ledger.identifiers import Identifier
from ledger.keyring import Keyring
from ledger.vault import Vault

SECONDS = 5.0


@pytest.fixture(scope="module")
def nats() -> Iterator[NatsServer]:
    """A message bus that no other ledger publishes on."""
    with servers.nats() as server:
        yield server


@asynccontextmanager
async def issuance_bus(world: World, nats: NatsServer) -> AsyncIterator[Bus]:
    """NATS as issuance."""
    settings = settings_for("issuance", world.database.issuance, nats.url, nats.credentials["issuance"])
    bus = await Bus.connect(settings, "issuance")
    assert await bus.until_connected(SECONDS)
    yield bus
    await bus.close()


@pytest.fixture
async def bus(world: World, nats: NatsServer) -> AsyncIterator[Bus]:
    """Issuance's connection."""
    async with issuance_bus(world, nats) as bus:
        yield bus


@pytest.fixture
async def client(world: World, nats: NatsServer) -> AsyncIterator[httpx.AsyncClient]:
    """The service, with NATS."""
    async with world.service(nats.url, nats.credentials["revocation"]) as client:
        yield client


async def asked(bus: Bus, subject: str, body: Any) -> Any:
    return msgspec.json.decode(await bus.request(subject, msgspec.json.encode(body), SECONDS))


def lease_request(of: str, **varied: Any) -> dict[str, Any]:
    return {"institution": of, "holder": "start", "command": str(uuid4()), "count": 1024, **varied}


@pytest.mark.usefixtures("client")
async def test_a_lease_is_answered_and_asking_again_takes_nothing_more(world: World, bus: Bus) -> None:
    institution = await world.institution(profile="full")
    request = lease_request(institution.id)

    first, again = [await asked(bus, "cmd.revocation.lease.v1", request) for _ in range(2)]
    other = await asked(bus, "cmd.revocation.lease.v1", lease_request(institution.id))

    assert first == again
    assert (first["first"], first["count"], first["length"]) == (0, 1024, 131_072)
    assert set(first["lists"]) == {"revocation", "suspension"}
    assert other["first"] == 1024


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize(
    ("varied", "code"),
    [({"institution": "inst_" + "z" * 26}, "not_found"), ({"count": 0}, "malformed"), ({"count": 99_999}, "malformed")],
)
async def test_a_lease_that_cannot_be_granted_is_an_answer_with_a_code(
    world: World, bus: Bus, varied: dict[str, Any], code: str
) -> None:
    institution = await world.institution()

    answer = await asked(bus, "cmd.revocation.lease.v1", lease_request(institution.id, **varied))

    assert answer["error"]["code"] == code


async def test_the_registry_gets_the_list_that_everybody_gets(
    world: World, bus: Bus, client: httpx.AsyncClient
) -> None:
    institution = await world.institution()
    ((award_id, (entry,)),) = (await world.awards(institution, 1)).items()
    await revoke(client, institution, award_id)

    answer = await asked(bus, "cmd.revocation.list.v1", {"list_id": entry.list_id})
    unknown = await asked(bus, "cmd.revocation.list.v1", {"list_id": "sl_" + "z" * 26})

    assert bit(answer["credential"], entry.index)
    assert answer["credential"] == await fetched(client, entry.list_id)
    assert unknown["error"]["code"] == "not_found"


async def revoke(client: httpx.AsyncClient, institution: Institution, award_id: str, reason: str | None = None) -> Any:
    body = {"reason_code": "academic_misconduct", **({"reason": reason} if reason else {})}
    return await client.post(f"/v1/awards/{award_id}/revocation", json=body, headers=bearer(institution))


async def learner_of(world: World, institution: Institution) -> tuple[Vault, str]:
    vault = Vault(world.issuance.pool, kek=Keyring.single(KEK), secret=SECRET)
    return vault, await vault.learner(institution.id, [Identifier("email", f"{uuid4()}@learner.example")])


async def test_free_text_is_sealed_under_the_learners_key_and_opens_only_in_issuance(
    world: World, bus: Bus, client: httpx.AsyncClient
) -> None:
    institution = await world.institution()
    vault, learner = await learner_of(world, institution)
    await sealing.serve(bus, world.issuance, vault)
    ((award_id, entries),) = [(f"awd_{'c' * 26}", (await world.places(institution, 1))[0])]
    await world.award(institution, award_id, entries, learner)

    answer = await revoke(client, institution, award_id, "Copied from Erika Mustermann")

    assert answer.status_code == 200, answer.text
    (recorded,) = await world.revocation.load(f"standing/{award_id}")
    assert recorded.subject == learner
    assert b"Mustermann" not in recorded.state
    assert b"Mustermann" not in answer.content
    assert await vault.open(recorded) == {"reason": "Copied from Erika Mustermann"}


async def test_about_an_erased_learner_no_free_text_is_kept_but_the_award_can_be_revoked(
    world: World, bus: Bus, client: httpx.AsyncClient
) -> None:
    institution = await world.institution()
    vault, learner = await learner_of(world, institution)
    await sealing.serve(bus, world.issuance, vault)
    (entries,) = await world.places(institution, 1)
    award_id = f"awd_{'d' * 26}"
    await world.award(institution, award_id, entries, learner)
    await vault.erase(institution.id, learner, [])

    with_text = await revoke(client, institution, award_id, "Copied from Erika Mustermann")
    recorded: list[Recorded] = await world.revocation.load(f"standing/{award_id}")
    without = await revoke(client, institution, award_id)

    assert (with_text.status_code, with_text.json()["errors"][0]["pointer"]) == (422, "/reason")
    assert recorded == []
    assert without.status_code == 200
