"""Two records become one learner's: an event on each, with the same person. ○

A crash between the two leaves them unjoined to the eye (their persons differ), and doing it again completes it.
"""

from collections.abc import Callable
from datetime import datetime

from issuance.claims import rules
from issuance.claims.records import Other, Record
from issuance.parts import Issuance, draw
from ledger import ids
from ledger.store import Wish

WishFor = Callable[[str, str], Wish]  # tenant and what is joined → the command


async def join(issuance: Issuance, record: Record, other: Other, wish_for: WishFor, *, at: datetime) -> None:
    """Join the record and the other, and everything that either was joined to. Raises Refused or Gone."""
    await issuance.caught_up()
    load = issuance.store.load
    theirs = rules.person_of(await load(f"learner/{other.pseudonym}"))
    person = record.person or theirs or ids.text_id("per", draw(16))
    members = {(record.notice.tenant, record.notice.pseudonym), (other.tenant, other.pseudonym)}
    for old in {record.person, theirs} - {None, person}:
        rows = await issuance.store.pool.fetch(MEMBERS, old)
        members |= {(row["tenant"], row["pseudonym"]) for row in rows}
    for tenant, pseudonym in sorted(members):
        await issuance.store.decide(
            f"learner/{pseudonym}",
            lambda history, who=pseudonym: rules.join(person, history, pseudonym=who, at=at),
            wish=wish_for(tenant, pseudonym),
        )


MEMBERS = "SELECT tenant, pseudonym FROM issuance.persons WHERE person = $1"
