"""Rotating the key-encryption keys: where they stand, sealing anew, a new epoch, destroying an old one.

A keyring lies in a file (`CREDLEDGER_KEK_FILE`, else the state folder's). It is replaced whole, by rename; services
read it again by themselves. deploy/README.md has the steps.
"""

import os
import secrets
import time
from pathlib import Path
from typing import Any, Final

from ledger.cli.failure import REFUSED, USAGE, Failure
from ledger.cli.keys.api_keys import caller
from ledger.cli.options import AsJson, Key, Wish
from ledger.cli.place import Place
from ledger.cli.speaking import progress, say, say_json, say_table
from ledger.keyring import KEY_BYTES, keys_in, text_of

RINGS: Final = {"data": "KEK", "signing": "SIGNING_KEK"}
POLL_SECONDS: Final = 0.2
PATIENCE_SECONDS: Final = 30.0  # without anything being sealed anew
SHOWN: Final = ("ring", "epoch", "sealed", "rewrapped_away", "begun_at", "destroyable_from", "what_next")


def status(*, key: Key = None, json: AsJson = False) -> int:
    """Which epoch of each key-encryption key seals how much, and when an old one may be destroyed.

    Exit status 1 where a rotation is overdue.
    """
    with caller(key) as issuance:
        found = issuance.get("/v1/key-encryption")
    overdue = [ring["ring"] for ring in found["rings"] if ring["rotation_overdue"]]
    if json:
        say_json(found)
    else:
        say_table([{"ring": ring["ring"], **epoch} for ring in found["rings"] for epoch in ring["epochs"]], SHOWN)
        say()
        for ring in found["rings"]:
            late = "OVERDUE: " if ring["rotation_overdue"] else ""
            say(f"{ring['ring']}: {late}rotate by {ring['rotate_by']}", "red" if late else None)
        say(
            f"Erasure horizon: {found['erasure_horizon_days']} days (rotation every {found['kek_rotation_days']}, "
            f"backups kept {found['backup_retention_days']})."
        )
    return REFUSED if overdue else 0


def rewrap(*, idempotency_key: Wish = None, key: Key = None, json: AsJson = False) -> None:
    """Seal everything anew under the current key-encryption keys, and wait until it is done."""
    with caller(key) as issuance:
        issuance.post("/v1/key-encryption/rewrap", key=idempotency_key)
        left = total = _left(issuance.get("/v1/key-encryption"))
        since = time.monotonic()
        with progress("sealing anew", total) as bar:
            while left:
                time.sleep(POLL_SECONDS)
                before, found = left, issuance.get("/v1/key-encryption")
                left = _left(found)
                bar.to(total - left)
                since = time.monotonic() if left < before else since
                if time.monotonic() - since > PATIENCE_SECONDS:
                    raise Failure(f"{left} keys still lie under an older epoch; `credledger keys status` says why.")
        found = issuance.get("/v1/key-encryption")
    if json:
        say_json(found)
    else:
        under = ", ".join(f"{ring['ring']} epoch {ring['current_epoch']}" for ring in found["rings"])
        say(f"Everything lies under {under}.")


def new_epoch(*, ring: str | None = None, json: AsJson = False) -> None:
    """Make a fresh key-encryption key, which seals from now on; the old one stays and opens.

    Services read the keyring's file again by themselves, and seal everything anew under the new key.

    Parameters
    ----------
    ring: str
        data (learners' data keys) or signing; default: both.
    """
    place, begun = Place.here(), {}
    for name, path in _files(place, ring).items():
        keys = _keys(path)
        epoch = max(keys) + 1
        _replace(path, text_of({epoch: secrets.token_bytes(KEY_BYTES), **keys}))
        begun[name] = epoch
    if json:
        say_json({"epochs": begun})
    else:
        for name, epoch in begun.items():
            say(f"{name}: epoch {epoch} seals from now on.")
        say("Back the keyrings up now, apart from the database.", "yellow")


def destroy_epoch(
    ring: str, epoch: int, /, *, idempotency_key: Wish = None, key: Key = None, json: AsJson = False
) -> None:
    """Destroy an old key-encryption key: record it, then take it out of the keyring's file.

    Refused while something, or a backup that is still kept, lies under it. Backups of the keyring must lose it too.

    Parameters
    ----------
    ring: str
        data or signing.
    epoch: int
        The old epoch.
    """
    (path,) = _files(Place.here(), ring).values()
    with caller(key) as issuance:
        answer = issuance.post(f"/v1/key-encryption/{ring}/epochs/{epoch}/destruction", key=idempotency_key)
    keys = _keys(path)
    if keys.pop(epoch, None) is not None:
        _replace(path, text_of(keys))
    if json:
        say_json(answer)
    else:
        say(f"Epoch {epoch} of {ring} is destroyed here. Destroy the copies of the keyring that hold it, too.")


def _left(found: dict[str, Any]) -> int:
    return sum(ring["left"] for ring in found["rings"])


def _files(place: Place, ring: str | None) -> dict[str, Path]:
    if ring is not None and ring not in RINGS:
        raise Failure(f"There is no ring {ring!r}: name data or signing.", USAGE)
    files = {name: place.keyring_file(setting) for name, setting in RINGS.items() if ring in (None, name)}
    for name, path in files.items():
        if not path.is_file():
            setting = f"CREDLEDGER_{RINGS[name]}_FILE"
            raise Failure(f"There is no keyring at {path}: name its file in {setting}, or the state folder in "
                          "CREDLEDGER_DATA.", USAGE)  # fmt: skip
    return files


def _keys(path: Path) -> dict[int, bytes]:
    try:
        return keys_in(path.read_text())
    except (OSError, ValueError) as error:
        raise Failure(f"The keyring {path} cannot be used: {getattr(error, 'strerror', None) or error}.") from error


def _replace(path: Path, text: str) -> None:
    """Write a keyring whole or not at all, with its owner and mode, on the disk when this returns."""
    old, new = path.stat(), path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(descriptor, old.st_mode & 0o777)
        if os.geteuid() == 0:
            os.fchown(descriptor, old.st_uid, old.st_gid)
        file.write(text + "\n")
        file.flush()
        os.fsync(descriptor)
    new.rename(path)
