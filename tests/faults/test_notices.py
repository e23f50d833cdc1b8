"""kill -9 of issuance while it tells learners: each is told, none twice but where SMTP cannot know, and then by the
very same message."""

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from tests import servers
from tests.conftest import new_database
from tests.post_office import OK, PostOffice
from tests.running import KEYRINGS, Institution, Running, running
from tests.servers import PostgresServer, wait_until

AWARDS = 24


class Place(msgspec.Struct):
    """A ledger of its own, which may be killed, and where its mails arrive."""

    ledger: Running
    office: PostOffice

    def events(self, topic: str, institution: Institution) -> list[Any]:
        text = self.ledger.get("registry", "/v1/events?limit=100000", key=institution.api_key).text
        envelopes = [msgspec.json.decode(line)["envelope"] for line in text.splitlines()]
        return [e for e in envelopes if e["type"] == topic]


@pytest.fixture(scope="module")
def place(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    database = new_database(postgres_server)
    roles = {"issuance": database.issuance, "registry": database.registry, "revocation": database.revocation}
    with (
        PostOffice().open() as office,
        servers.nats() as nats,
        running(
            roles,
            nats,
            tmp_path_factory.mktemp("notices"),
            CREDLEDGER_SMTP_URL=office.url,
            CREDLEDGER_MAIL_PER_SECOND="20",
        ) as ledger,
    ):
        yield Place(ledger, office)


def test_a_kill_between_the_mail_systems_yes_and_our_append_repeats_the_very_same_message(place: Place) -> None:
    ledger, office = place.ledger, place.office
    institution = ledger.institution("crash")
    victim = "crash@learner.example"
    dead = threading.Event()

    def takes_it_and_kills(recipient: str) -> str:
        """What arrives is kept whatever becomes of the sender: he never hears the 250."""
        if recipient == victim and not dead.is_set():
            dead.set()
            ledger.kill("issuance")
        return OK

    achievement = ledger.achievement(institution)
    office.answer_data = takes_it_and_kills
    ledger.post("issuance", "/v1/awards", {"achievement_id": achievement, "learner": {"email": victim}},
                key=institution.api_key)  # fmt: skip
    office.wait_for(victim)
    assert dead.is_set()
    assert place.events("notice.sent", institution) == []
    ledger.start("issuance")

    first, second = office.wait_for(victim, 2)
    wait_until(lambda: len(place.events("notice.sent", institution)) == 1, 10, "it is recorded")

    assert first.message_id == second.message_id
    assert first.link == second.link
    assert first.text == second.text
    assert [e["data"]["notice_id"] for e in place.events("notice.sent", institution)] == [first.notice_id]


def test_however_often_it_is_killed_every_learner_is_told_and_hardly_any_twice(place: Place) -> None:
    ledger, office = place.ledger, place.office
    institution = ledger.institution("killed")
    achievement = ledger.achievement(institution)
    learners = [f"killed-{number}@learner.example" for number in range(AWARDS)]
    for learner in learners:
        ledger.award(institution, achievement, email=learner)
    for wanted in (AWARDS // 3, 2 * AWARDS // 3):
        office.wait_for(learners[wanted - 1])
        ledger.kill("issuance")
        ledger.start("issuance")

    for learner in learners:
        office.wait_for(learner)
    wait_until(lambda: len(place.events("notice.sent", institution)) >= AWARDS, 20, "all are recorded")

    mails = [mail for mail in office.everything() if mail.recipient.startswith("killed-")]
    told = Counter(mail.message_id for mail in mails)
    recorded = Counter(e["data"]["notice_id"] for e in place.events("notice.sent", institution))
    assert len(told) == AWARDS
    assert {mail.recipient for mail in mails} == set(learners)
    assert set(recorded.values()) == {1}
    assert len(recorded) == AWARDS
    assert sum(told.values()) - AWARDS <= 2 * 4  # at most what was under way at each of the two kills


def test_without_a_mail_system_notices_wait_and_go_out_when_it_is_back(place: Place) -> None:
    ledger = place.ledger
    institution = ledger.institution("away")
    achievement = ledger.achievement(institution)
    late = PostOffice()
    ledger.kill("issuance")
    ledger.set(CREDLEDGER_SMTP_URL=late.url)
    ledger.start("issuance")
    ledger.award(institution, achievement, email="away@learner.example")

    def waits() -> bool:
        return "the mail system is away" in ledger.log("issuance")

    wait_until(waits, 10, "the mail system is missed")
    with contextlib.ExitStack() as stack:
        stack.enter_context(late.open())
        (mail,) = late.wait_for("away@learner.example")
        wait_until(lambda: len(place.events("notice.sent", institution)) == 1, 10, "it is recorded")
        ledger.kill("issuance")
        ledger.set(CREDLEDGER_SMTP_URL=place.office.url)
        ledger.start("issuance")
    assert mail.recipient == "away@learner.example"


def test_two_processes_of_issuance_share_the_work_and_tell_nobody_twice(place: Place) -> None:
    ledger, office = place.ledger, place.office
    institution = ledger.institution("two")
    achievement = ledger.achievement(institution)
    with Second(ledger) as second:
        learners = [f"two-{number}@learner.example" for number in range(AWARDS)]
        for learner in learners:
            ledger.award(institution, achievement, email=learner)
        for learner in learners:
            office.wait_for(learner)
        wait_until(lambda: len(place.events("notice.sent", institution)) == AWARDS, 20, "all are recorded")
        assert second.alive

    told = Counter(mail.recipient for mail in office.everything() if mail.recipient.startswith("two-"))
    assert told == dict.fromkeys(learners, 1)


class Second:
    """A second process of issuance over the same database, on ports of its own."""

    def __init__(self, ledger: Running) -> None:
        self._ledger = ledger
        folder = ledger._folder / "second"
        folder.mkdir()
        self._other = Running(ledger._databases, ledger._nats, folder, **ledger._extra)
        self._other._secrets, self._other.operator = ledger._secrets, ledger.operator
        for name in KEYRINGS:
            self._other.keyring_file(name).write_text(ledger.secret(name))
        self._other.set(CREDLEDGER_PUBLIC_URL=ledger.url("registry"), CREDLEDGER_STATUS_URL=ledger.url("revocation"),
                        CREDLEDGER_CLAIM_URL=ledger.url("issuance"))  # fmt: skip

    @property
    def alive(self) -> bool:
        return self._other.processes["issuance"].poll() is None

    def __enter__(self) -> "Second":
        self._other.start("issuance")
        return self

    def __exit__(self, *_: object) -> None:
        self._other.stop()
