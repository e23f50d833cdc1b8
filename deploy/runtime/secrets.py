"""Passwords, keys and tokens of the local ledger: made once, 0600, never in arguments, logs or runtime.json.

A secret that was made and is gone is refused, not replaced: a new key-encryption key would silently turn every sealed
value into noise. `secrets/made` names what was made; a name that a later release adds is made then.
"""

import base64
import secrets as randomness
from collections.abc import Callable, Mapping

from .refusal import Refusal
from .state import State

ROLES = ("issuance", "registry", "revocation")
KEY_BYTES = 32
PASSWORD_BYTES = 24

# Setting → which services are told. Learners' data keys are issuance's alone; signing keys also revocation's.
HOLDERS: Mapping[str, tuple[str, ...]] = {
    "SERVER_SECRET": ROLES,
    "KEY_PEPPER": ROLES,
    "KEK": ("issuance",),
    "SIGNING_KEK": ("issuance", "revocation"),
    "OPERATOR_KEY": ("issuance",),
}


def secret_name(setting: str) -> str:
    """The file of a secret setting: `SIGNING_KEK` lies in `secrets/signing-kek`."""
    return setting.lower().replace("_", "-")


def make_secrets(state: State) -> None:
    """Make what is missing for the first time. Raises Refusal when something that was made is gone."""
    make_missing(state, _makers())


def make_missing(state: State, makers: Mapping[str, Callable[[], str]]) -> None:
    """Make each named secret that was never made. Raises Refusal when one was made and is gone."""
    mark = state.secrets / "made"
    made = set(mark.read_text().split()) if mark.exists() else set()
    for name, new in makers.items():
        path = state.operator_key if name == "operator-key" else state.secrets / name
        if path.exists():
            continue
        if name in made:
            raise Refusal(
                f"{path} is missing: bring it back from your backup of secrets; a new one cannot open the old data."
            )
        state.write(path, new() + "\n")
    if not made.issuperset(makers):
        state.write(mark, "\n".join(sorted(made.union(makers))) + "\n")


def read_secret(state: State, name: str) -> str:
    """One secret's text. Raises Refusal when the file cannot be read."""
    try:
        return (state.secrets / name).read_text().strip()
    except OSError as error:
        raise Refusal(f"{state.secrets / name} cannot be read: {error.strerror}.") from error


def operator_token() -> str:
    """A new API key in the product's form: `cl_live_<26 base32>_<43 base64url>`."""
    identity = base64.b32encode(randomness.token_bytes(16)).decode().rstrip("=").lower()
    return f"cl_live_{identity}_{randomness.token_urlsafe(32)}"


def _makers() -> dict[str, Callable[[], str]]:
    passwords = [f"postgres-{role}" for role in ("superuser", *ROLES)]
    keys = [secret_name(setting) for setting in HOLDERS if setting != "OPERATOR_KEY"]
    return {
        **dict.fromkeys(passwords, lambda: randomness.token_urlsafe(PASSWORD_BYTES)),
        **dict.fromkeys(keys, lambda: randomness.token_hex(KEY_BYTES)),
        "operator-key": operator_token,
    }
