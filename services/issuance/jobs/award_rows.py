"""Rows that award: judged and made many at once, each exactly as `POST /v1/awards` would.

What a batch shares are look-ups, the group commit and the keeping of documents. A row that is out of the ordinary (its
learner holds the achievement already, its external id is taken, somebody was faster) goes the way of a single award.
"""

import asyncio
from collections.abc import Sequence

import msgspec

from issuance import awarding, awards
from issuance.awarding import Made
from issuance.awards import AwardLearner, Draws, Overtaken
from issuance.jobs.records import RowOutcome, StoredRow
from issuance.jobs.wishes import Work, refused, repeated, with_defaults
from issuance.parts import now
from issuance.signing import award_id
from ledger import errors
from ledger.store import NameTaken
from ledger.vault import Erased
from ledger.web.validation import convert

SAID = {"awarded": "awarded", "replayed": "awarded", "returned": "returned"}
# What a dry run puts where an award draws at random: nothing of it is kept.
NOBODY = Draws(
    pseudonym="lrn_" + "a" * 26,
    subject_id="urn:uuid:00000000-0000-4000-8000-000000000000",
    capability="A" * 22,
    salt="00" * 16,
    status=[],
    approval="apr_" + "a" * 26,  # what takes a second key can be done all the same: it is proposed
)


def _outcome(number: int, made: Made) -> RowOutcome:
    if made.is_proposal:  # a second key has to approve: nobody was awarded yet
        return RowOutcome(number=number, said="proposed", position=made.recorded.position)
    recorded = made.recorded
    return RowOutcome(number=number, said=SAID[made.outcome], award_id=award_id(recorded), position=recorded.position)


class _Row(msgspec.Struct, frozen=True):
    row: StoredRow
    data: AwardLearner


class AwardRows:
    """The kind `awards`."""

    async def judge(self, work: Work, rows: Sequence[StoredRow]) -> list[RowOutcome]:
        good, outcomes = await self._read(work, rows)
        holders = await self._holders(work, good)
        for each in good:
            try:
                await self._try(work, each.data)
            except errors.Unavailable:
                raise
            except errors.LedgerError as error:
                outcomes.append(refused(each.row, error))
                continue
            held = holders.get(each.row.number)
            outcomes.append(RowOutcome(number=each.row.number, said="held" if held else "ready", award_id=held))
            await asyncio.sleep(0)
        return outcomes

    async def do(self, work: Work, rows: Sequence[StoredRow]) -> list[RowOutcome]:
        good, outcomes = await self._read(work, rows)
        streams, unnamed = await self._streams(work, good)
        outcomes += unnamed
        made = await asyncio.gather(*(self._made(work, each, *streams[each.row.number])
                                      for each in good if each.row.number in streams))  # fmt: skip
        done = [one for one in made if isinstance(one, tuple)]
        outcomes += [one for one in made if isinstance(one, RowOutcome)]
        new = [(one.recorded, one.personal) for _, one in done if one.outcome != "returned" and not one.is_proposal]
        await work.issuance.signing.sign_many(new, work.issuance.traffic.turn)
        return outcomes + [_outcome(number, one) for number, one in done]

    async def _read(self, work: Work, rows: Sequence[StoredRow]) -> tuple[list[_Row], list[RowOutcome]]:
        """The rows that read as awards, and the outcome of those that do not."""
        good: list[_Row] = []
        outcomes: list[RowOutcome] = []
        created = work.job.created
        for row in rows:
            body = with_defaults(row, achievement_id=created.achievement_id, on_duplicate=created.on_duplicate)
            try:
                data = convert(body, AwardLearner)
                awards.identifiers_of(data.learner)
                awards.check(data, at=now())
            except errors.LedgerError as error:
                outcomes.append(refused(row, error))
                continue
            if row.repeats is not None and data.on_duplicate != "allow":
                outcomes.append(repeated(row))
            else:
                good.append(_Row(row, data))
        return good, outcomes

    async def _try(self, work: Work, data: AwardLearner) -> None:
        """Ask the very rule that decides, and drop what it says. Raises what it raises."""
        issuance, tenant = work.issuance, work.job.tenant
        await awarding.check_achievement(issuance, tenant, data)
        institution = await issuance.store.load_cached(f"institution/{tenant}")
        achievement = await issuance.store.load_cached(f"achievement/{data.achievement_id}")
        document = issuance.addresses.unsigned
        awards.award(data, [], institution, achievement, [], draws=NOBODY, document_for=document, at=now())

    async def _holders(self, work: Work, good: Sequence[_Row]) -> dict[int, str]:
        """The award by which a row's learner holds the achievement already, by row."""
        issuance, tenant = work.issuance, work.job.tenant
        known = await issuance.vault.known(tenant, [awards.identifiers_of(each.data.learner) for each in good])
        first = {
            each.row.number: awards.award_id_for(
                issuance.settings.server_secret, tenant, pseudonym, each.data.achievement_id, 0
            )
            for each, pseudonym in zip(good, known, strict=True)
            if pseudonym is not None
        }
        there = await issuance.store.there([f"award/{award}" for award in first.values()])
        return {number: award for number, award in first.items() if f"award/{award}" in there}

    async def _streams(
        self, work: Work, good: Sequence[_Row]
    ) -> tuple[dict[int, tuple[str, str | None]], list[RowOutcome]]:
        """By row: the learner, and the stream of the award to make where nothing lies in it; the outcome of rows whose
        learner cannot be told."""
        issuance, tenant = work.issuance, work.job.tenant
        people = [awards.identifiers_of(each.data.learner) for each in good]
        named = list(zip(good, await issuance.vault.learners(tenant, people), strict=True))
        secret = issuance.settings.server_secret
        wanted = {
            each.row.number: (name, f"award/{awards.award_id_for(secret, tenant, name, each.data.achievement_id, 0)}")
            for each, name in named
            if isinstance(name, str)
        }
        looked = [stream for name, award in wanted.values() for stream in (award, f"learner/{name}")]
        there = await issuance.store.there(looked)
        outcomes = [refused(each.row, name) for each, name in named if isinstance(name, errors.LedgerError)]
        return {n: (name, None if award in there else award) for n, (name, award) in wanted.items()}, outcomes

    async def _made(self, work: Work, each: _Row, pseudonym: str, stream: str | None) -> tuple[int, Made] | RowOutcome:
        issuance, wish = work.issuance, work.wish(each.row.number)
        try:
            if stream is None:
                return each.row.number, await awarding.decide(issuance, wish, each.data)
            try:
                return each.row.number, await awarding.make(issuance, wish, each.data, pseudonym, stream)
            except (NameTaken, Overtaken, Erased):  # out of the ordinary: as a single award
                return each.row.number, await awarding.decide(issuance, wish, each.data)
        except errors.Unavailable:
            raise
        except errors.LedgerError as error:
            return refused(each.row, error)
