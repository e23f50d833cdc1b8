"""Who may do what on NATS: the operator, the account LEDGER, one user per service, and the server's configuration.

Each service is a user of its own. Only issuance, where the relay runs, may publish `ledger.>`; every service answers
its own commands and asks the others'; to change the stream itself is issuance's too. Pure: random bytes and the time
are arguments.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from ledger.bus.nkeys import ACCOUNT, OPERATOR, USER, KeyPair, credentials_text, jwt

SERVICES = ("issuance", "registry", "revocation")
UNLIMITED = -1
ACCOUNT_LIMITS = {
    "subs": UNLIMITED, "data": UNLIMITED, "payload": UNLIMITED, "imports": UNLIMITED, "exports": UNLIMITED,
    "wildcards": True, "conn": UNLIMITED, "leaf": UNLIMITED,
}  # fmt: skip
JETSTREAM_LIMITS = {
    "mem_storage": UNLIMITED, "disk_storage": UNLIMITED, "streams": UNLIMITED, "consumer": UNLIMITED,
    "max_ack_pending": UNLIMITED, "mem_max_stream_bytes": UNLIMITED, "disk_max_stream_bytes": UNLIMITED,
}  # fmt: skip

# What following the stream LEDGER takes; making, changing or deleting it is the relay's.
READ_STREAM = (
    "$JS.API.INFO", "$JS.API.STREAM.INFO.LEDGER", "$JS.API.DIRECT.GET.LEDGER", "$JS.API.CONSUMER.CREATE.LEDGER.>",
    "$JS.API.CONSUMER.CREATE.LEDGER", "$JS.API.CONSUMER.INFO.LEDGER.*", "$JS.API.CONSUMER.DELETE.LEDGER.*",
    "$JS.API.CONSUMER.MSG.NEXT.LEDGER.*", "$JS.ACK.LEDGER.>",
)  # fmt: skip


class Material(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that operator mode needs. Seeds are secrets; keep the operator's offline in production."""

    operator_jwt: str
    operator_seed: str
    system_account: str
    system_jwt: str
    ledger_account: str
    ledger_jwt: str
    ledger_seed: str
    credentials: dict[str, str]  # service → text of its credentials file


def make_operator(draw: Callable[[int], bytes], issued_at: int) -> Material:
    """A fresh operator with its accounts and users; `issued_at` in Unix seconds."""
    operator, system, ledger = (KeyPair(kind, draw(32)) for kind in (OPERATOR, ACCOUNT, ACCOUNT))
    named = {"type": "operator", "version": 2, "system_account": system.public}
    users = {service: KeyPair(USER, draw(32)) for service in SERVICES}
    return Material(
        operator_jwt=jwt(operator, operator.public, "credledger", named, issued_at=issued_at),
        operator_seed=operator.seed,
        system_account=system.public,
        system_jwt=jwt(operator, system.public, "SYS", _account({}), issued_at=issued_at),
        ledger_account=ledger.public,
        ledger_jwt=jwt(operator, ledger.public, "LEDGER", _account(JETSTREAM_LIMITS), issued_at=issued_at),
        ledger_seed=ledger.seed,
        credentials={
            service: credentials_text(jwt(ledger, user.public, service, _user(service), issued_at=issued_at), user.seed)
            for service, user in users.items()
        },
    )


def nats_conf(
    material: Material,
    *,
    store_dir: str,
    jwt_dir: str,
    port: int = -1,
    monitoring_port: int = -1,
    max_file: str = "64G",
) -> str:
    """nats.conf for one server on loopback; -1 lets the kernel choose a port. Every write is synced to the disk."""
    return f"""listen: "127.0.0.1:{port}"
http: "127.0.0.1:{monitoring_port}"
jetstream {{ store_dir: "{store_dir}", max_mem: 64M, max_file: {max_file}, sync_interval: always }}
operator: {material.operator_jwt}
system_account: {material.system_account}
resolver {{ type: full, dir: "{jwt_dir}", allow_delete: true, interval: "2m", limit: 100000 }}
resolver_preload {{
  {material.system_account}: {material.system_jwt}
  {material.ledger_account}: {material.ledger_jwt}
}}
lame_duck_grace_period: "1s"
lame_duck_duration: "30s"
"""


def _account(jetstream: dict[str, int]) -> dict[str, Any]:
    return {
        "type": "account",
        "version": 2,
        "limits": {**ACCOUNT_LIMITS, **jetstream},
        "default_permissions": {"pub": {}, "sub": {}},
    }


def _user(service: str) -> dict[str, Any]:
    publish = [*READ_STREAM, "cmd.>", "_INBOX.>", "hint.>"]
    if service == "issuance":  # the relay's
        publish = ["ledger.>", "$JS.API.>", *publish]
    return {
        "type": "user",
        "version": 2,
        "subs": UNLIMITED,
        "data": UNLIMITED,
        "payload": UNLIMITED,
        "pub": {"allow": publish},
        "sub": {"allow": ["_INBOX.>", f"cmd.{service}.>", "hint.>"]},
    }
