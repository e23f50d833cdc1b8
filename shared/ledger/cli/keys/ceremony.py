"""A key ceremony: an institution's private signing keys leave one vault and come into another, sealed on the way.

The recipient's private key lies in a PKCS #8 file under a passphrase (what `openssl genpkey -algorithm X25519 -aes256`
makes, too); the passphrase is asked for, or read from CREDLEDGER_PASSPHRASE(_FILE). Nothing is in the clear on the
disk.
"""

import os
import sys
from getpass import getpass
from pathlib import Path
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from ledger.cli.failure import USAGE, Failure
from ledger.cli.keys.api_keys import caller
from ledger.cli.options import AsJson, Key, Wish
from ledger.cli.place import Place
from ledger.cli.speaking import say, say_json
from ledger.keys import ceremony
from ledger.keys.ceremony import Export, ExportedKey, NotOpened

SHORTEST: Final = 12


def ceremony_key(file: Path, /, *, json: AsJson = False) -> None:
    """Make a key pair for a ceremony: the private key into a file under a passphrase, the public one on the screen.

    Parameters
    ----------
    file: Path
        Where the private key goes; it must not be there yet.
    """
    private, phrase = X25519PrivateKey.generate(), _passphrase("A passphrase for the private key: ")
    if len(phrase) < SHORTEST:
        raise Failure(f"The passphrase needs {SHORTEST} characters at least.", USAGE)
    _write(file, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(phrase)))
    recipient = ceremony.public_text(private)
    if json:
        say_json({"recipient": recipient})
    else:
        say(recipient, "bold")
        say(f"Give this to whoever exports; {file} and its passphrase to nobody.")


def export_keys(
    institution: str, /, *, to: str, out: Path, idempotency_key: Wish = None, key: Key = None, json: AsJson = False
) -> None:
    """Write an institution's private signing keys to a file, sealed for one recipient. The operator's.

    Parameters
    ----------
    institution: str
        Whose keys (inst_…).
    to: str
        The recipient's public key, as `credledger keys ceremony-key` shows it.
    out: Path
        The file; it must not be there yet.
    """
    with caller(key) as issuance:
        path = f"/v1/institutions/{institution}/signing-key-exports"
        made = issuance.post(path, {"recipient": to}, key=idempotency_key)
    _write(out, msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n")
    if json:
        say_json({"keys": made["keys"], "file": str(out)})
    else:
        say(f"{len(made['keys'])} keys of {made['did']} are in {out}, sealed.")


def import_keys(
    file: Path, /, *, private_key: Path, idempotency_key: Wish = None, key: Key = None, json: AsJson = False
) -> None:
    """Put the signing keys of a file into this ledger's vault. The operator's.

    They are opened here in memory, proven to belong to their public keys, and sealed again for the vault.

    Parameters
    ----------
    file: Path
        What `credledger keys export` wrote.
    private_key: Path
        The recipient's private key.
    """
    export = _export(file)
    try:
        privates = ceremony.opened(export, _private(private_key))
    except NotOpened as error:
        raise Failure(str(error)) from error
    pairs = [(ExportedKey(k.id, k.algorithm, k.public_key), p) for k, p in zip(export.keys, privates, strict=True)]
    with caller(key) as issuance:
        recipient = issuance.get("/v1/key-encryption/recipient")["recipient"]
        anew: dict[str, Any] = msgspec.to_builtins(
            ceremony.sealed_for(recipient, export.institution, export.did, pairs)
        )
        path = f"/v1/institutions/{export.institution}/signing-key-imports"
        done = issuance.post(path, {"format": export.format, **anew}, key=idempotency_key)
    if json:
        say_json(done)
    else:
        say(f"{len(done['imported'])} keys of {export.did} are in the vault; their public keys are unchanged.")


def _export(file: Path) -> Export:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Export)
    except OSError as error:
        raise Failure(f"{file} cannot be read: {error.strerror}.", USAGE) from error
    except msgspec.MsgspecError as error:
        raise Failure(f"{file} is no export of signing keys.", USAGE) from error


def _private(file: Path) -> X25519PrivateKey:
    try:
        found = load_pem_private_key(file.read_bytes(), _passphrase("The private key's passphrase: "))
    except OSError as error:
        raise Failure(f"{file} cannot be read: {error.strerror}.", USAGE) from error
    except (ValueError, TypeError) as error:
        raise Failure(f"{file} does not open: is it a private key under this passphrase?") from error
    if not isinstance(found, X25519PrivateKey):
        raise Failure(f"{file} holds no X25519 key.", USAGE)
    return found


def _passphrase(question: str) -> bytes:
    stated = Place.here().passphrase()
    if stated is None and not sys.stdin.isatty():
        raise Failure("A passphrase is needed: set CREDLEDGER_PASSPHRASE_FILE, or use a terminal.", USAGE)
    return (stated if stated is not None else getpass(question)).encode()


def _write(file: Path, content: bytes) -> None:
    """A private file that was not there, on the disk when this returns."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(descriptor)
    except OSError as error:
        raise Failure(f"{file} cannot be written: {error.strerror}.", USAGE) from error
