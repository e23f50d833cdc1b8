"""An institution's signing keys: when they rotate, what they signed, a compromise and what follows from it."""

import time
from datetime import UTC, datetime
from typing import Any, Final

from ledger.cli.api import Api
from ledger.cli.failure import USAGE, Failure
from ledger.cli.keys.api_keys import caller
from ledger.cli.options import AsJson, Key, Wish
from ledger.cli.speaking import progress, say, say_json, say_table

POLL_SECONDS: Final = 0.3
SHOWN: Final = ("award_id", "position", "recorded_at", "standing", "current", "before_compromise")


def schedule(
    *,
    every_days: int | None = None,
    starting: datetime | None = None,
    never: bool = False,
    idempotency_key: Wish = None,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Let the signing keys rotate by themselves, or show how they do.

    Parameters
    ----------
    every_days: int
        The interval.
    starting: datetime
        The first time (UTC where no zone is given); default: one interval from now.
    never: bool
        Rotate only when asked.
    """
    if never and every_days is not None:
        raise Failure("Give --every-days or --never, not both.", USAGE)
    body: dict[str, Any] = {"every_days": every_days}
    if starting is not None:
        body["starting"] = _aware(starting).isoformat()
    with caller(key) as issuance:
        if every_days is None and not never:
            facts = issuance.get("/v1/signing-keys")
        else:
            facts = issuance.put("/v1/signing-keys/schedule", body, key=idempotency_key)
    if json:
        say_json(facts)
        return
    say_table(facts["keys"], ("id", "algorithm", "added", "retired", "compromised"))
    say()
    every = facts["rotate_every_days"]
    say(f"They rotate every {every} days; next {facts['next_rotation']}." if every else "They rotate when asked.")


def signed(
    key_id: str,
    /,
    *,
    recorded_after: datetime | None = None,
    recorded_before: datetime | None = None,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """What a signing key signed: every document of an award, oldest first, superseded ones too.

    Parameters
    ----------
    key_id: str
        The signing key (key_…).
    recorded_after: datetime
        Only what was recorded later (UTC where no zone is given).
    recorded_before: datetime
        Only what was recorded earlier.
    """
    times = {"recorded_after": recorded_after, "recorded_before": recorded_before}
    given = {name: _aware(moment).isoformat() for name, moment in times.items() if moment is not None}
    with caller(key) as issuance:
        found = list(issuance.pages(f"/v1/signing-keys/{key_id}/signed", **given))
    if json:
        say_json({"data": found})
        return
    say_table(found, SHOWN)
    say()
    say(f"{len(found)} documents, {sum(document['current'] for document in found)} of them current.")


def compromise(
    key_id: str,
    /,
    *,
    since: datetime | None = None,
    idempotency_key: Wish = None,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Say that a signing key was in other hands: it is replaced and destroyed.

    Parameters
    ----------
    key_id: str
        The signing key (key_…).
    since: datetime
        From when on (UTC where no zone is given); default: now.
    """
    body = {} if since is None else {"compromised_since": _aware(since).isoformat()}
    with caller(key) as issuance:
        facts = issuance.post(f"/v1/signing-keys/{key_id}/compromise", body, key=idempotency_key)
    if json:
        say_json(facts)
        return
    say_table(facts["keys"], ("id", "algorithm", "added", "retired", "compromised"))
    say()
    say(f"{key_id} is destroyed. What it signed and this ledger recorded before still counts here.")
    say(f"To issue that anew: credledger keys reissue {key_id}", "yellow")


def reissue(
    key_id: str,
    /,
    *,
    reason_code: str = "key_compromised",
    idempotency_key: Wish = None,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Issue every current document that a key signed anew under the keys of now, and wait until it is done.

    Ended before that, it goes on by itself. The old copies are superseded; learners get new ones.

    Parameters
    ----------
    key_id: str
        The signing key (key_…), retired or compromised.
    """
    path = f"/v1/signing-keys/{key_id}/reissue"
    with caller(key) as issuance:
        issuance.post(path, {"reason_code": reason_code}, key=idempotency_key)
        facts = _followed(issuance, path)
    if json:
        say_json(facts)
        return
    say(f"{facts['documents'] - facts['left']} of {facts['documents']} documents are issued anew.")
    if facts["left"]:
        say(f"{facts['left']} were left out: revoked, suspended, ended or erased. "
            f"See credledger keys signed {key_id}", "yellow")  # fmt: skip


def _followed(issuance: Api, path: str) -> dict[str, Any]:
    facts = issuance.get(path)
    with progress("issuing anew", facts["documents"]) as bar:
        while not facts["completed"]:
            time.sleep(POLL_SECONDS)
            facts = issuance.get(path)
            bar.to(facts["documents"] - facts["left"])
    return facts


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
