"""Sealing for services that hold no key-encryption key: they ask over NATS and get blobs that only issuance opens."""

import base64
import binascii

import msgspec

from ledger.bus import Bus
from ledger.errors import LedgerError
from ledger.vault import Vault

SUBJECT = "cmd.issuance.seal.v1"


class SealRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Openings (name → base64 of salt ‖ value) to seal under a learner's data key for one event."""

    tenant: str
    subject: str
    event_id: str
    openings: dict[str, str]


async def serve(bus: Bus, vault: Vault) -> None:
    """Answer `cmd.issuance.seal.v1` with `{"blobs": …}` or `{"error": {"code", "detail"}}`."""

    async def answer(raw: bytes) -> bytes:
        try:
            request = msgspec.json.decode(raw, type=SealRequest)
            openings = {name: base64.b64decode(text, validate=True) for name, text in request.openings.items()}
            blobs = await vault.seal(request.tenant, request.subject, request.event_id, openings)
        except LedgerError as error:
            return msgspec.json.encode({"error": {"code": error.code, "detail": error.detail}})
        except (msgspec.MsgspecError, binascii.Error):
            return msgspec.json.encode(
                {"error": {"code": "malformed", "detail": "The request is not as it should be."}}
            )
        return msgspec.json.encode({"blobs": {name: base64.b64encode(blob).decode() for name, blob in blobs.items()}})

    await bus.serve(SUBJECT, answer)
