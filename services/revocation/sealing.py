"""Sealing free text: revocation holds no key-encryption key, so issuance seals what only issuance can open, and tells
whether a person is the one whose name was sealed."""

import base64
from collections.abc import Mapping

import msgspec

from ledger import errors
from ledger.bus import Bus

SUBJECT = "cmd.issuance.seal.v1"
SAME_PERSON = "cmd.issuance.same_person.v1"
TIMEOUT_SECONDS = 3.0


class _Answer(msgspec.Struct):
    blobs: dict[str, str] = {}
    error: dict[str, str] | None = None


class _SameAnswer(msgspec.Struct):
    same: bool = False
    error: dict[str, str] | None = None


class BusSealer:
    """A `ledger.store.Sealer` over NATS request/reply."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def seal(
        self, tenant: str, subject: str | None, event_id: str, openings: Mapping[str, bytes]
    ) -> dict[str, bytes]:
        """name → blob. Raises Refused when the learner was erased, Unavailable when issuance does not answer."""
        request = {
            "tenant": tenant,
            "subject": subject or tenant,
            "event_id": event_id,
            "openings": {name: base64.b64encode(opening).decode() for name, opening in openings.items()},
        }
        try:
            raw = await self._bus.request(SUBJECT, msgspec.json.encode(request), TIMEOUT_SECONDS)
        except errors.Unavailable as error:
            raise errors.Unavailable(
                "Free text is sealed by issuance, which does not answer now. Try again, or leave the text out.",
                retry_after_seconds=2,
            ) from error
        answer = msgspec.json.decode(raw, type=_Answer)
        if answer.error is not None:
            raise _refusal(answer.error)
        return {name: base64.b64decode(blob) for name, blob in answer.blobs.items()}


def _refusal(error: Mapping[str, str]) -> errors.LedgerError:
    if error.get("code") == "erased":
        where = [errors.FieldError("/reason", "leave it out: this learner's record was erased")]
        return errors.Refused("No free text can be kept about a learner whose record was erased.", errors=where)
    return errors.Unavailable("The free text could not be sealed. Try again, or leave it out.", retry_after_seconds=2)


async def is_same_person(bus: Bus, position: int, person: str) -> bool:
    """Whether the person who decided the event at a position, sealed beside it, is the one called so. Raises
    Unavailable when issuance does not answer."""
    try:
        raw = await bus.request(
            SAME_PERSON, msgspec.json.encode({"position": position, "person": person}), TIMEOUT_SECONDS
        )
    except errors.Unavailable as error:
        raise errors.Unavailable(
            "Who decided is known to issuance alone, which does not answer now. Try again.", retry_after_seconds=2
        ) from error
    answer = msgspec.json.decode(raw, type=_SameAnswer)
    if answer.error is not None and answer.error.get("code") != "erased":
        raise errors.Unavailable("Whether it is the same person could not be told. Try again.", retry_after_seconds=2)
    return answer.same
