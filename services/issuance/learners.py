"""Learners: erasure of one institution's record. Pure rule over the stream `learner/<pseudonym>`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec

from ledger.codec import Fact, Recorded
from ledger.events import LearnerErased


class EraseLearner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, as a code: by default the learner asked (GDPR, Article 17)."""

    reason_code: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{1,63}$")] = "learner_request"


def erase(wish: EraseLearner, history: Sequence[Recorded], *, pseudonym: str, at: datetime) -> list[Fact]:
    """The fact that the record is erased; nothing when it already was. The vault is emptied after it."""
    if any(isinstance(recorded.event, LearnerErased) for recorded in history):
        return []
    return [Fact(event=LearnerErased(reason_code=wish.reason_code), at=at, subject=pseudonym)]
