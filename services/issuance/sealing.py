"""Sealing for services that hold no key-encryption key: they ask over NATS and get blobs that only issuance opens. What
is sealed is never answered; only whether a person is the one whose name was sealed."""

import base64
import binascii

import msgspec

from ledger.bus import Bus
from ledger.errors import LedgerError
from ledger.store import Store
from ledger.store.store import PERSON
from ledger.vault import Vault

SUBJECT = "cmd.issuance.seal.v1"
SAME_PERSON = "cmd.issuance.same_person.v1"
MALFORMED = msgspec.json.encode({"error": {"code": "malformed", "detail": "The request is not as it should be."}})


class SealRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Openings (name → base64 of salt ‖ value) to seal under a learner's data key for one event."""

    tenant: str
    subject: str
    event_id: str
    openings: dict[str, str]


class PersonRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Whether the person who decided the event at a position is the one called so."""

    position: int
    person: str


async def serve(bus: Bus, store: Store, vault: Vault) -> None:
    """Answer `cmd.issuance.seal.v1` with `{"blobs": …}` and `cmd.issuance.same_person.v1` with `{"same": …}`, or either
    with `{"error": {"code", "detail"}}`."""

    async def same(raw: bytes) -> bytes:
        try:
            request = msgspec.json.decode(raw, type=PersonRequest)
            person = (await vault.open(await store.at(request.position))).get(PERSON)
        except LedgerError as error:
            return msgspec.json.encode({"error": {"code": error.code, "detail": error.detail}})
        except msgspec.MsgspecError:
            return MALFORMED
        return msgspec.json.encode({"same": person == request.person})

    async def answer(raw: bytes) -> bytes:
        try:
            request = msgspec.json.decode(raw, type=SealRequest)
            openings = {name: base64.b64decode(text, validate=True) for name, text in request.openings.items()}
            blobs = await vault.seal(request.tenant, request.subject, request.event_id, openings)
        except LedgerError as error:
            return msgspec.json.encode({"error": {"code": error.code, "detail": error.detail}})
        except (msgspec.MsgspecError, binascii.Error):
            return MALFORMED
        return msgspec.json.encode({"blobs": {name: base64.b64encode(blob).decode() for name, blob in blobs.items()}})

    await bus.serve(SUBJECT, answer)
    await bus.serve(SAME_PERSON, same)
