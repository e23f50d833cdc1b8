"""The rules of awarding."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from tests.issuance.histories import NOON, TENANT, placed

from issuance import awards, institutions
from issuance.achievements import PublishAchievement, published
from issuance.achievements import versions as achievements
from issuance.achievements.model import Criteria, ResultDescription
from issuance.achievements.versions import WithdrawVersion
from issuance.awards import AwardLearner, Draws, Evidence, Learner, Result
from issuance.documents import Addresses
from issuance.institution_life import Turn, suspend
from issuance.institutions import CreateInstitution, NewKey
from ledger import errors
from ledger.codec import Recorded
from ledger.events import Awarded, StatusEntry

ACHIEVEMENT = "ach_bbbbbbbbbbbbbbbbbbbbbbbbbb"
ADDRESSES = Addresses("http://localhost:8000", "http://localhost:8002", True)
URL = ADDRESSES.achievement_url(ACHIEVEMENT, 1)
DRAWS = Draws(
    pseudonym="lrn_cccccccccccccccccccccccccc",
    subject_id="urn:uuid:0b5a2f3e-8f6c-4f6e-9d5b-0f8c6f3b2a11",
    capability="AAECAwQFBgcICQoLDA0ODw",
    salt="00ff",
    status=[StatusEntry("sl_dddddddddddddddddddddddddd", "revocation", 7)],
)
WISH = AwardLearner(ACHIEVEMENT, Learner(email="Ada@Example.org", name="Ada Lovelace"))


def institution_history() -> list[Recorded]:
    wish = CreateInstitution(slug="nova", name="Nova University", url="https://nova.example")
    keys = (NewKey("key_ed", "Ed25519", "z6MkEd"), NewKey("key_p2", "P-256", "zDnP2"))
    facts = institutions.create(wish, [], did="did:web:localhost%3A8000:issuers:nova", keys=keys, at=NOON)
    return placed(f"institution/{TENANT}", facts)


def achievement_history(versions: int = 1, **fields: Any) -> list[Recorded]:
    history: list[Recorded] = []
    for number in range(1, versions + 1):
        wish = PublishAchievement(
            name=f"Data Basics {number}",
            description="Reading, cleaning and showing data.",
            criteria=Criteria(narrative="Pass the final exam."),
            **fields,
        )
        event, _ = published(wish, ADDRESSES.achievement_url(ACHIEVEMENT, number), number)
        facts = achievements.publish(event, history, institution_history(), at=NOON)
        history = placed(f"achievement/{ACHIEVEMENT}", facts, history)
    return history


def decide(wish: AwardLearner = WISH, **histories: list[Recorded]) -> Awarded:
    return facts_of(wish, **histories).event  # type: ignore[return-value]


def facts_of(
    wish: AwardLearner = WISH,
    *,
    institution: list[Recorded] | None = None,
    achievement: list[Recorded] | None = None,
    learner: list[Recorded] | None = None,
) -> awards.Fact:
    facts = awards.award(
        wish,
        [],
        institution_history() if institution is None else institution,
        achievement_history() if achievement is None else achievement,
        learner or [],
        draws=DRAWS,
        document_for=ADDRESSES.unsigned,
        at=NOON,
    )
    assert len(facts) == 1
    return facts[0]


def test_an_award_pins_the_newest_version_the_profile_and_the_keys() -> None:
    event = decide(achievement=achievement_history(3))

    assert (event.achievement_version, event.profile_version, event.keys) == (3, 3, ["key_ed", "key_p2"])
    assert event.status == DRAWS.status
    assert event.issued == event.valid_from == event.awarded_date == "2026-03-01T12:00:00Z"


def test_nothing_personal_stands_in_the_event() -> None:
    fact = facts_of(
        msgspec.structs.replace(WISH, narrative="Ada did well.", evidence=[Evidence(narrative="Her thesis")])
    )
    stored = placed("award/a", [fact])[0].state.decode("utf-8", "replace")

    for secret in ("Ada", "ada@", "Lovelace", "thesis", DRAWS.capability, DRAWS.salt):
        assert secret not in stored
    assert fact.personal["identity"]["value"] == "ada@example.org"
    assert fact.personal["name"] == "Ada Lovelace"


def test_a_did_is_the_subject_and_a_pseudonym_stands_in_for_everybody_else() -> None:
    known = facts_of(AwardLearner(ACHIEVEMENT, Learner(did="did:key:z6MkLearner", email="a@b.example")))
    unknown = facts_of()

    assert known.personal["identity"]["subject_id"] == "did:key:z6MkLearner"
    assert unknown.personal["identity"]["subject_id"] == DRAWS.subject_id


def test_a_learner_must_be_identified() -> None:
    with pytest.raises(errors.Malformed) as refused:
        awards.identifiers_of(Learner(name="Nobody"))
    assert refused.value.errors[0].pointer == "/learner"


def test_a_withdrawn_version_cannot_be_awarded_and_an_older_open_one_is_taken_instead() -> None:
    history = achievement_history(2)
    facts = achievements.withdraw(2, WithdrawVersion(), history, institution_history(), at=NOON)
    history = placed(f"achievement/{ACHIEVEMENT}", facts, history)

    assert decide(achievement=history).achievement_version == 1
    with pytest.raises(errors.Refused, match="withdrawn"):
        decide(msgspec.structs.replace(WISH, achievement_version=2), achievement=history)


def test_another_institutions_achievement_is_not_found() -> None:
    foreign = [msgspec.structs.replace(r, state=r.state.replace(TENANT.encode(), b"inst_" + b"z" * 26))
               for r in achievement_history()]  # fmt: skip

    with pytest.raises(errors.NotFound):
        decide(achievement=foreign)
    with pytest.raises(errors.NotFound):
        decide(achievement=[])


def test_a_suspended_institution_cannot_award() -> None:
    history = institution_history()
    history = placed(
        f"institution/{TENANT}", suspend(Turn(reason_code="unpaid", authority="Board"), history, at=NOON), history
    )

    with pytest.raises(errors.Refused, match="suspended"):
        decide(institution=history)


def test_every_impossible_time_is_named() -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - a time without a zone is the point
    with pytest.raises(errors.Malformed) as refused:
        awards.check(msgspec.structs.replace(WISH, awarded_date=naive, valid_from=naive), at=NOON)
    assert [e.pointer for e in refused.value.errors] == ["/awarded_date", "/valid_from"]

    with pytest.raises(errors.Malformed, match="cannot be right"):
        awards.check(msgspec.structs.replace(WISH, valid_until=NOON), at=NOON)


def test_times_are_written_in_utc() -> None:
    zone = timezone(timedelta(hours=2))
    event = decide(msgspec.structs.replace(WISH, awarded_date=datetime(2026, 2, 1, 1, 30, tzinfo=zone)))

    assert event.awarded_date == "2026-01-31T23:30:00Z"
    assert facts_of(msgspec.structs.replace(WISH, awarded_date=NOON)).at == NOON.astimezone(UTC)


def test_results_must_fit_the_awarded_version() -> None:
    history = achievement_history(
        result_descriptions=[ResultDescription(name="Exam", result_type="Percent", key="exam")]
    )
    good = msgspec.structs.replace(WISH, results=[Result(result_description=f"{URL}#exam", value="87")])
    bad = msgspec.structs.replace(WISH, results=[Result(result_description=f"{URL}#oral", value="87")])

    assert decide(good, achievement=history).achievement_version == 1
    with pytest.raises(errors.Refused) as refused:
        decide(bad, achievement=history)
    assert refused.value.errors[0].pointer == "/results/0/result_description"


def test_the_document_follows_from_event_and_opened_values_alone() -> None:
    first, second = facts_of(), facts_of()

    assert first.document_digest == second.document_digest
    assert first.document_digest != facts_of(msgspec.structs.replace(WISH, term="Spring")).document_digest


def test_credits_are_taken_as_number_or_text_and_kept_as_decimal_text() -> None:
    for given, kept in ((2, "2"), (2.5, "2.5"), ("2.50", "2.5"), ("0.07", "0.07")):
        assert facts_of(msgspec.structs.replace(WISH, credits_earned=given)).personal["credits_earned"] == kept
    with pytest.raises(errors.Malformed) as refused:
        awards.check(msgspec.structs.replace(WISH, credits_earned=0.001), at=NOON)
    assert refused.value.errors[0].pointer == "/credits_earned"


def test_a_stream_that_holds_an_award_takes_no_other() -> None:
    history = placed(f"award/{'awd_' + 'e' * 26}", [facts_of()])

    with pytest.raises(awards.Overtaken):
        awards.award(
            WISH,
            history,
            institution_history(),
            achievement_history(),
            [],
            draws=DRAWS,
            document_for=ADDRESSES.unsigned,
            at=NOON,
        )


def test_awards_are_named_by_learner_achievement_and_ordinal() -> None:
    def name(**changed: Any) -> str:
        asked = {"tenant": TENANT, "pseudonym": DRAWS.pseudonym, "achievement_id": ACHIEVEMENT, "number": 0} | changed
        return awards.award_id_for(b"s" * 32, **asked)

    others = [name(number=1), name(tenant="inst_b"), name(pseudonym="lrn_b"), name(achievement_id="ach_b")]
    assert name() == name()
    assert len({name(), *others}) == 5
