"""The life of an institution's signing keys, as pure rules: when they rotate, what they signed, issuing that anew.

Rules. An award, and a correction, names the keys that were active when it was appended: the store guards it with the
institution's stream. So what a key signed is what the institution issued between the two positions at which the key
was added and ended. A schedule is a time to begin and an interval; keys older than the last
scheduled time are due.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

import msgspec

from issuance import institutions
from issuance.institutions import Institution, NewKey, ReasonCode
from ledger import errors
from ledger.codec import Fact, Recorded, format_time, parse_time
from ledger.errors import FieldError
from ledger.events import IssuerKeyChanged, KeyScheduleSet, ReissueCompleted, ReissueOrdered

NEVER = 2**62


class SetSchedule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Fresh signing keys every so many days, for the first time at `starting` (default: one interval from now). No
    `every_days`: only when asked."""

    every_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] | None = None
    starting: datetime | None = None


class OrderReissue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why everything that a key signed is issued anew, as a code."""

    reason_code: ReasonCode = "key_compromised"


class Schedule(msgspec.Struct, frozen=True):
    """When the keys rotate by themselves."""

    every_days: int
    starting: str

    def last_before(self, at: datetime) -> datetime | None:
        """The newest scheduled time that has come; None before the first."""
        first, interval = parse_time(self.starting), timedelta(days=self.every_days)
        return None if at < first else first + (at - first) // interval * interval

    def next_after(self, at: datetime) -> datetime:
        """The scheduled time that comes next."""
        last = self.last_before(at)
        return parse_time(self.starting) if last is None else last + timedelta(days=self.every_days)


class Span(msgspec.Struct, frozen=True):
    """The positions between which a key signed, both excluded, and when it may have been in other hands."""

    key_id: str
    added: int
    ended: int = NEVER
    compromised: datetime | None = None


class Reissue(msgspec.Struct, frozen=True):
    """An order to issue anew: its event, and how it ended."""

    ordered: Recorded
    completed: ReissueCompleted | None = None


def schedule_of(history: Sequence[Recorded]) -> Schedule | None:
    """The schedule in force."""
    found: Schedule | None = None
    for recorded in history:
        match recorded.event:
            case KeyScheduleSet(every_days=every_days, starting=starting):
                found = Schedule(every_days, starting) if every_days and starting else None
    return found


def set_schedule(wish: SetSchedule, history: Sequence[Recorded], *, at: datetime) -> list[Fact]:
    """The schedule from now on; nothing when it is in force. Raises NotFound, Refused or Malformed."""
    institutions.active_institution(history)
    wanted: Schedule | None = None
    if wish.every_days is not None:
        starting = wish.starting or at + timedelta(days=wish.every_days)
        if starting.tzinfo is None:
            where = [FieldError("/starting", "the time needs a zone, such as Z")]
            raise errors.Malformed("The schedule has a time without a zone.", errors=where)
        wanted = Schedule(wish.every_days, format_time(starting))
    if wanted == schedule_of(history):
        return []
    event = KeyScheduleSet(
        every_days=None if wanted is None else wanted.every_days, starting=None if wanted is None else wanted.starting
    )
    return [Fact(event=event, at=at)]


def is_due(history: Sequence[Recorded], *, at: datetime) -> bool:
    """Whether the active keys are older than the last scheduled time."""
    institution, schedule = institutions.institution_of(history), schedule_of(history)
    last = None if schedule is None else schedule.last_before(at)
    if institution is None or not institution.active or last is None:
        return False
    return any(parse_time(key.added) < last for key in institution.keys if key.is_active)


def rotate_due(history: Sequence[Recorded], *, new: Sequence[NewKey], at: datetime) -> list[Fact]:
    """Fresh keys where the schedule asks for them; nothing where it does not (any more)."""
    return institutions.rotate(history, new=new, at=at) if is_due(history, at=at) else []


def span_of(key_id: str, history: Sequence[Recorded]) -> Span:
    """Between which positions a key signed. Raises NotFound for a key that is not the institution's."""
    span: Span | None = None
    for recorded in history:
        event = recorded.event
        if not isinstance(event, IssuerKeyChanged) or event.key_id != key_id:
            continue
        if event.change == "added":
            span = Span(key_id, recorded.position)
        elif span is not None:
            compromised = parse_time(event.effective) if event.change == "compromised" else span.compromised
            span = Span(key_id, span.added, min(span.ended, recorded.position), compromised)
    if span is None:
        raise errors.NotFound("This institution has no such key.")
    return span


def reissue_of(history: Sequence[Recorded]) -> Reissue | None:
    """The newest order on a key's stream."""
    found: Reissue | None = None
    for recorded in history:
        match recorded.event:
            case ReissueOrdered():
                found = Reissue(recorded)
            case ReissueCompleted() as completed if found is not None:
                found = Reissue(found.ordered, completed)
    return found


def order_reissue(
    wish: OrderReissue,
    history: Sequence[Recorded],
    institution: Sequence[Recorded],
    *,
    key: tuple[str, int],
    at: datetime,
) -> list[Fact]:
    """The order that everything current which a key signed be issued anew; `key` is its id and how many that are.

    Raises NotFound, or Refused while the key still signs or such an order is under way.
    """
    key_id, documents = key
    institutions.active_institution(institution)
    if span_of(key_id, institution).ended == NEVER:
        raise errors.Refused("This key still signs: rotate it, or report it as compromised, first.")
    earlier = reissue_of(history)
    if earlier is not None and earlier.completed is None:
        raise errors.Refused("What this key signed is being issued anew already; wait until that is done.")
    event = ReissueOrdered(key_id=key_id, reason_code=wish.reason_code, documents=documents)
    return [Fact(event=event, at=at)]


def complete_reissue(history: Sequence[Recorded], *, left: int, at: datetime) -> list[Fact]:
    """The fact that the newest order is done but for `left` documents; nothing when it was."""
    newest = reissue_of(history)
    if newest is None or newest.completed is not None:
        return []
    order = newest.ordered.event
    if not isinstance(order, ReissueOrdered):
        raise TypeError("an order is one")
    event = ReissueCompleted(key_id=order.key_id, reissued=max(order.documents - left, 0), left_out=left)
    return [Fact(event=event, at=at)]


def known_keys(institution: Institution) -> dict[str, str]:
    """Key id → public key, of every key that was not found compromised."""
    return {key.id: key.public_key for key in institution.keys if key.compromised is None}
