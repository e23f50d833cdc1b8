"""kill -9 of each of the five processes while awards are made: nothing acknowledged is lost, nothing is doubled, and
after the restart the three services agree."""

import asyncio
import random
from itertools import count
from typing import Any

import asyncpg
import httpx
import msgspec
import nats
from tests.faults.invariants import broken_invariants, doubled
from tests.faults.whole import PATIENCE_SECONDS, Whole, kill_and_start
from tests.running import SERVICES, Institution, Running
from tests.servers import wait_until

from ledger import bitstring

CALLERS = 6
AWARDS_BEFORE_A_KILL = 25


class Load:
    """Awards without a pause until told to stop; every tenth is revoked as soon as it is acknowledged."""

    def __init__(self, ledger: Running, institution: Institution, achievement: str) -> None:
        self._ledger, self._institution, self._achievement = ledger, institution, achievement
        self._numbers = count()
        self._over = asyncio.Event()
        self.answers: dict[str, Any] = {}
        self.revoked: set[str] = set()
        self._callers = [asyncio.create_task(self._caller()) for _ in range(CALLERS)]

    async def more(self, awards: int) -> None:
        """Until so many awards more were acknowledged: what is killed next is killed at work."""
        wanted = len(self.answers) + awards
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.answers) < wanted:  # noqa: ASYNC110 - the callers say nothing but their answers
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Let what is under way end."""
        self._over.set()
        await asyncio.gather(*self._callers)

    async def _caller(self) -> None:
        headers = {"authorization": f"Bearer {self._institution.api_key}"}
        async with httpx.AsyncClient(headers=headers, timeout=10) as client:
            while not self._over.is_set():
                number = next(self._numbers)
                body = {"achievement_id": self._achievement, "learner": {"email": f"l{number}@learner.example"}}
                url = f"{self._ledger.url('issuance')}/v1/awards"
                answer = await until_acknowledged(client, f"load-{number}", body, url)
                self.answers[str(number)] = answer
                if number % 10 == 0:
                    url = f"{self._ledger.url('revocation')}/v1/awards/{answer['id']}/revocation"
                    await until_acknowledged(client, f"revoke-{number}", {"reason_code": "issued_in_error"}, url)
                    self.revoked.add(answer["id"])


async def until_acknowledged(client: httpx.AsyncClient, key: str, body: dict[str, Any], url: str = "/v1/awards") -> Any:
    """The answer to one write, however often it has to be asked for."""
    while True:
        try:
            answer = await client.post(url, json=body, headers={"idempotency-key": key})
        except httpx.HTTPError:
            await asyncio.sleep(0.05)
            continue
        if answer.is_success:
            return answer.json()
        assert answer.status_code == 503, answer.text  # nothing but "try again" may happen to a good request
        assert "retry-after" in answer.headers
        await asyncio.sleep(0.05)


async def test_kill_9_of_any_process_loses_and_doubles_nothing(whole: Whole) -> None:
    ledger = whole.ledger
    institution = await asyncio.to_thread(ledger.institution, "load")
    achievement = await asyncio.to_thread(ledger.achievement, institution)
    victims = [*SERVICES, "postgres", "nats"]
    random.Random(3).shuffle(victims)  # noqa: S311 - a repeatable order

    load = Load(ledger, institution, achievement)
    for victim in victims:
        await load.more(AWARDS_BEFORE_A_KILL)
        await asyncio.to_thread(kill_and_start, whole, victim)
    await load.more(AWARDS_BEFORE_A_KILL)
    await load.stop()
    for service in SERVICES:
        await asyncio.to_thread(wait_until, lambda s=service: ledger.is_ready(s), 30, f"{service} ready")

    answers = load.answers
    acknowledged = {f"award/{answer['id']}": answer["position"] for answer in answers.values()}
    assert len(acknowledged) == len(answers)
    assert await broken_invariants(whole.database.url, acknowledged) == []
    assert await doubled(whole.database.url) == 0
    await agree(whole, answers)
    await agree_on_standings(whole, institution, answers, load.revoked)


async def agree_on_standings(
    whole: Whole, institution: Institution, answers: dict[str, Any], revoked: set[str]
) -> None:
    """Revocation and registry say the same of every award, and the published bits say so too."""
    assert revoked
    headers = {"authorization": f"Bearer {institution.api_key}"}
    bits: dict[str, bytes] = {}
    async with httpx.AsyncClient(timeout=20) as reader:
        for answer in answers.values():
            wanted = "revoked" if answer["id"] in revoked else "valid"
            url = f"{whole.ledger.url('revocation')}/v1/awards/{answer['id']}/standing"
            own = (await reader.get(url, headers=headers)).json()
            facts = (await reader.get(f"{whole.ledger.url('registry')}/v1/awards/{answer['id']}")).json()
            entry = answer["credential"]["credentialStatus"]
            listed = entry["statusListCredential"]
            if listed not in bits:
                bits[listed] = bitstring.bits_of((await reader.get(listed)).json(), "revocation")
            bit = bitstring.bit(bits[listed], int(entry["statusListIndex"]))
            assert (own["standing"]["status"], facts["standing"], bool(bit)) == (wanted, wanted, wanted == "revoked")


async def agree(whole: Whole, answers: dict[str, Any]) -> None:
    """Store, stream and registry hold the same; every acknowledged credential opens and is what was answered."""
    owner = await asyncpg.connect(whole.database.url)
    head = await owner.fetchval("SELECT position FROM ledger.logs WHERE log_id = 0")
    await owner.close()
    client = await nats.connect(whole.nats.url, user_credentials=str(whole.nats.credentials["issuance"]))

    async def last_sequence() -> int:
        return int((await client.jetstream().stream_info("LEDGER")).state.last_seq)

    async with asyncio.timeout(20):
        while await last_sequence() < head:  # noqa: ASYNC110 - the server tells nobody when it has caught up
            await asyncio.sleep(0.05)
    await client.close()
    async with httpx.AsyncClient(timeout=20) as reader:
        for answer in answers.values():
            credential = await reader.get(answer["credential_url"])
            assert credential.status_code == 200, answer["id"]
            assert credential.json() == answer["credential"]
            facts = await reader.get(f"{whole.ledger.url('registry')}/v1/awards/{answer['id']}")
            assert facts.status_code == 200
            assert facts.json()["position"] == answer["position"]


async def test_with_nats_down_awards_and_reads_go_on_and_the_relay_catches_up(whole: Whole) -> None:
    ledger = whole.ledger
    institution = await asyncio.to_thread(ledger.institution, "no-bus")
    achievement = await asyncio.to_thread(ledger.achievement, institution)
    first = await asyncio.to_thread(ledger.award, institution, achievement)  # takes the lease while NATS is there
    whole.nats.kill()

    answers = {"first": first}
    for number in range(20):
        answers[str(number)] = await asyncio.to_thread(ledger.award, institution, achievement, f"n{number}@x.example")
    for answer in answers.values():
        assert (await asyncio.to_thread(httpx.get, answer["credential_url"])).status_code == 200
        seen = await asyncio.to_thread(ledger.get, "registry", f"/v1/awards/{answer['id']}")
        assert seen.status_code == 200

    await asyncio.to_thread(whole.nats.start)
    await agree(whole, answers)


async def test_with_postgresql_down_the_answer_is_503_with_retry_after(whole: Whole) -> None:
    ledger = whole.ledger
    institution = await asyncio.to_thread(ledger.institution, "no-database")
    achievement = await asyncio.to_thread(ledger.achievement, institution)
    whole.postgres.kill()

    body = {"achievement_id": achievement, "learner": {"email": "a@learner.example"}}
    for service, path, sent in (
        ("issuance", "/v1/awards", body),
        ("registry", "/v1/achievements", None),
        ("revocation", "/v1/awards/awd_aaaaaaaaaaaaaaaaaaaaaaaaaa/revocation", {"reason_code": "other"}),
    ):
        method = "GET" if sent is None else "POST"
        answer = await asyncio.to_thread(ledger.call, method, service, path, sent, key=institution.api_key)
        assert answer.status_code == 503, (service, answer.text)
        assert "retry-after" in answer.headers
        assert answer.headers["content-type"] == "application/problem+json"

    await asyncio.to_thread(whole.postgres.start)
    for service in SERVICES:
        await asyncio.to_thread(wait_until, lambda s=service: ledger.is_ready(s), 30, f"{service} ready")
    assert (await asyncio.to_thread(ledger.award, institution, achievement))["position"] > 0


async def test_issuing_goes_on_without_revocation_until_the_lease_runs_out_and_then_says_so(whole: Whole) -> None:
    ledger = whole.ledger
    institution = await asyncio.to_thread(ledger.institution, "no-revocation")
    achievement = await asyncio.to_thread(ledger.achievement, institution)
    ledger.kill("issuance")
    ledger.set(CREDLEDGER_LEASE_PLACES="6")
    await asyncio.to_thread(ledger.start, "issuance")
    await asyncio.to_thread(ledger.award, institution, achievement)  # takes a lease of six places
    ledger.kill("revocation")

    for number in range(5):
        await asyncio.to_thread(ledger.award, institution, achievement, f"r{number}@x.example")
    body = {"achievement_id": achievement, "learner": {"email": "late@learner.example"}}
    refused = await asyncio.to_thread(ledger.post, "issuance", "/v1/awards", body, key=institution.api_key)

    assert refused.status_code == 503
    assert "status lists" in refused.json()["detail"]

    # A process start never resumes a lease: what it gives out afterwards was given to nobody before.
    ledger.kill("issuance")
    await asyncio.to_thread(ledger.start, "revocation", "issuance")
    await asyncio.to_thread(ledger.award, institution, achievement, "late@learner.example")
    owner = await asyncpg.connect(whole.database.url)
    states = await owner.fetch("SELECT state FROM ledger.events WHERE topic = 'award.awarded'")
    await owner.close()
    places = [
        (e["list_id"], e["index"]) for s in states for e in msgspec.json.decode(s["state"][64:])["data"]["status"]
    ]
    assert len(places) == len(set(places)) == 7
