"""Sealing free text: revocation holds no key-encryption key, so issuance seals what only issuance can open."""

import base64
from collections.abc import Mapping

import msgspec

from ledger import errors
from ledger.bus import Bus

SUBJECT = "cmd.issuance.seal.v1"
TIMEOUT_SECONDS = 3.0


class _Answer(msgspec.Struct):
    blobs: dict[str, str] = {}
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
