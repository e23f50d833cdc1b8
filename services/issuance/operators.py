"""The operator's key, enrolled from the setting at the first start: an event like every other key. A release that knows
more scopes of the operator's gives them to it, by an event too."""

import msgspec

from issuance import access_keys
from issuance.parts import Issuance, now
from ledger import ids
from ledger.access import ROLE_SCOPES, parse_token, secret_hash
from ledger.codec import Actor
from ledger.events import LEDGER_TENANT, KeyCreated
from ledger.store import Wish


async def enrol(issuance: Issuance) -> None:
    """Make the fact that the configured operator key exists; nothing when it is there or none is configured."""
    settings = issuance.settings
    if settings.operator_key is None:
        return
    token, at = parse_token(settings.operator_key), now()
    created = KeyCreated(
        key_id=token.key_id,
        name="operator",
        role="operator",
        scopes=sorted(ROLE_SCOPES["operator"]),
        secret_hash=secret_hash(settings.pepper, token.secret),
    )
    wish = Wish(
        tenant=LEDGER_TENANT,
        command=ids.caused_command(settings.server_secret, "operator-key", token.key_id),
        actor=Actor(key=token.key_id, role="operator"),
    )
    stream = f"access/{token.key_id}"
    await issuance.store.decide(stream, lambda history: access_keys.create(created, history, at=at), wish=wish)
    opens = msgspec.structs.replace(
        wish,
        command=ids.caused_command(
            settings.server_secret, "operator-scopes", f"{token.key_id}/{' '.join(created.scopes)}"
        ),
    )
    await issuance.store.decide(
        stream, lambda history: access_keys.set_scopes(created.scopes, history, at=at), wish=opens
    )
