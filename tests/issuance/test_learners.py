"""The rules of learners' records."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.issuance.histories import NOON, placed
from tests.issuance.test_awards import DRAWS, WISH, facts_of

from issuance import awards, learners
from issuance.awards import Learner
from issuance.learners import EraseLearner, LearnerIdentifier, LearnerRecord, UpdateLearner
from ledger import errors
from ledger.codec import Fact, Recorded
from ledger.events import Awarded, LearnerUpdated
from ledger.identifiers import Identifier

STREAM = f"learner/{DRAWS.pseudonym}"
OLD, NEW = Identifier("email", "ada@example.org"), Identifier("email", "ada@king.example")
NUMBER = Identifier("student_id", "S-1")
KNOWN = LearnerRecord("Ada Lovelace", (OLD, NUMBER))


def wish(*identifiers: Identifier, name: str | None = "Ada King") -> UpdateLearner:
    return UpdateLearner([LearnerIdentifier(one.kind, one.value) for one in identifiers], name)  # type: ignore[arg-type]


def decide(asked: UpdateLearner, known: LearnerRecord = KNOWN, history: list[Recorded] | None = None) -> list[Fact]:
    return learners.update(asked, history or [], known=known, pseudonym=DRAWS.pseudonym, at=NOON)


def award(**named: Any) -> tuple[Awarded, dict[str, Any]]:
    fact = facts_of(msgspec.structs.replace(WISH, learner=Learner(**named)))
    assert isinstance(fact.event, Awarded)
    return fact.event, dict(fact.personal)


def test_an_update_says_what_changed_and_seals_what_it_is_now_and_what_it_is_no_longer() -> None:
    (fact,) = decide(wish(NEW, NUMBER))

    assert fact.event == LearnerUpdated(changed=["name", "email"])
    assert fact.subject == DRAWS.pseudonym
    assert fact.personal == {
        "name": "Ada King",
        "identifiers": [{"kind": "email", "value": NEW.value}, {"kind": "student_id", "value": "S-1"}],
        "removed": [{"kind": "email", "value": OLD.value}],
    }
    stored = placed(STREAM, [fact])[0].state.decode("utf-8", "replace")
    assert not [secret for secret in ("Ada", "King", "ada@", "S-1") if secret in stored]


def test_the_name_can_be_taken_out_and_the_order_of_addresses_counts() -> None:
    (nameless,) = decide(wish(OLD, NUMBER, name=None))
    (turned,) = decide(wish(NEW, OLD, name="A"), LearnerRecord("A", (OLD, NEW)))

    assert (nameless.event, "name" in nameless.personal) == (LearnerUpdated(changed=["name"]), False)
    assert turned.event == LearnerUpdated(changed=["email"])
    assert "removed" not in turned.personal


def test_what_reads_so_already_records_nothing() -> None:
    shouted = Identifier("email", " ADA@example.org ")

    assert decide(wish(NUMBER, shouted, name="Ada Lovelace")) == []


def test_an_erased_record_is_not_changed() -> None:
    erased = placed(STREAM, learners.erase(EraseLearner(), [], pseudonym=DRAWS.pseudonym, at=NOON))

    with pytest.raises(errors.Conflict, match="erased"):
        decide(wish(NEW), history=erased)


@pytest.mark.parametrize(("identifiers", "pointers"), [
    ([Identifier("email", "nobody")], ["/identifiers/0/value"]),
    ([OLD, Identifier("did", "z6Mk"), Identifier("student_id", "s" * 101)],
     ["/identifiers/1/value", "/identifiers/2/value"]),
    ([OLD, Identifier("email", "ADA@EXAMPLE.ORG")], ["/identifiers/1"]),
    ([Identifier("student_id", "   ")], ["/identifiers/0/value"]),
])  # fmt: skip
def test_every_identifier_that_cannot_be_is_named(identifiers: list[Identifier], pointers: list[str]) -> None:
    with pytest.raises(errors.Malformed) as malformed:
        learners.named_in(wish(*identifiers))
    assert [error.pointer for error in malformed.value.errors] == pointers


def test_before_any_update_the_newest_award_speaks_first() -> None:
    record = learners.record_of(
        [award(email=OLD.value, student_id="S-1", name="Ada Lovelace"), award(email=NEW.value, student_id="S-1")]
    )

    assert record == LearnerRecord("Ada Lovelace", (NEW, NUMBER, OLD))
    assert record.email == NEW.value


def test_after_an_update_awards_add_and_change_nothing() -> None:
    (fact,) = decide(wish(NEW))
    told = [award(email=OLD.value, name="Ada Lovelace"), (fact.event, fact.personal)]

    assert learners.record_of(told) == LearnerRecord("Ada King", (NEW,))
    later = learners.record_of([*told, award(email=OLD.value, student_id="S-1", name="Ada Lovelace")])
    assert later == LearnerRecord("Ada King", (NEW, OLD, NUMBER))


def test_an_award_seals_every_identifier_also_where_a_did_is_the_subject() -> None:
    _, personal = award(email=OLD.value, did="did:key:z6MkLearner", student_id="S-1")

    assert personal["identity"]["kind"] == "did"
    assert learners.record_of([award(email=OLD.value, did="did:key:z6MkLearner")]).email == OLD.value
    assert "identifiers" not in award(email=OLD.value)[1]


IDENTIFIERS = st.lists(st.sampled_from([OLD, NEW, NUMBER, Identifier("did", "did:key:z6Mk")]), min_size=1, unique=True)
STEPS = st.lists(st.tuples(st.booleans(), IDENTIFIERS, st.sampled_from(["Ada", "Eve", None])), max_size=6)


@given(STEPS)
def test_the_record_is_what_a_plain_list_would_be(steps: list[tuple[bool, list[Identifier], str | None]]) -> None:
    said: list[Any] = []
    name, plain, settled = None, list[Identifier](), False
    for is_update, identifiers, called in steps:
        if is_update:
            said += [(f.event, f.personal) for f in decide(wish(*identifiers, name=called), learners.record_of(said))]
            if called != name or not _same(plain, identifiers):
                name, plain, settled = called, identifiers, True
            continue
        named = Learner(**{one.kind: one.value for one in identifiers}, name=called)
        said.append(award(**msgspec.structs.asdict(named)))
        new = _spoken(named)
        plain = (
            [*plain, *(i for i in new if i not in plain)] if settled else [*new, *(i for i in plain if i not in new)]
        )
        name = name if settled else called or name

    assert learners.record_of(said) == LearnerRecord(name, tuple(plain))


def _same(one: list[Identifier], other: list[Identifier]) -> bool:
    return all([i for i in one if i.kind == kind] == [i for i in other if i.kind == kind] for kind in learners.KINDS)


def _spoken(learner: Learner) -> list[Identifier]:
    """By what an award names its learner, the one in the credential first: a DID is the subject itself."""
    return sorted(awards.identifiers_of(learner), key=lambda one: one.kind != "did")
