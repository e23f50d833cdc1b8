"""Sandboxes: a tenant beside each institution, where it tries things out. Pure rules over the sandbox's stream.

Rules. A sandbox has an id, a slug, a DID, keys, learners and lists of its own; nothing of the institution is in it and
nothing of it counts. Its id follows from the institution's (`ledger.ids`), so there is one. Its profile is the
institution's as it read when the sandbox was opened, and its name says what it is. It may write while the institution
may.
"""

from collections.abc import Sequence
from datetime import datetime

from issuance import institutions
from issuance.institutions import SANDBOX_SUFFIX, CreateInstitution, Institution, NewKey
from ledger import errors, ids
from ledger.codec import Fact, Recorded

NAME_ENDS = " (sandbox)"
NAME_LIMIT = 200


def slug_of_sandbox(slug: str) -> str:
    """The slug of the sandbox of the institution with this slug."""
    return slug + SANDBOX_SUFFIX


def open_sandbox(
    history: Sequence[Recorded],
    institution_history: Sequence[Recorded],
    namesake_history: Sequence[Recorded],
    *,
    did: str,
    keys: Sequence[NewKey],
    at: datetime,
) -> list[Fact]:
    """The sandbox of an institution, with its first keys; nothing where it is there.

    `namesake_history` is that of an institution whose own slug is the sandbox's: one that joined before there were
    sandboxes. Raises NotFound; Refused where the institution may not write, or there is such a namesake.
    """
    if history:
        return []
    institution = institutions.active_institution(institution_history)
    if namesake_history:
        raise errors.Refused(
            f"{slug_of_sandbox(institution.slug)} is the slug of an institution that joined before there were "
            "sandboxes, so this one has none."
        )
    wish = _wish_for(institution)
    return institutions.create(wish, history, did=did, keys=keys, at=at, sandbox_of=institution.id)


def tenants_of_slug(secret: bytes, slug: str) -> list[str]:
    """The tenants that may bear a slug, the one that bears it first where there are two."""
    bearers = [ids.named_id(secret, ids.INSTITUTION, slug)]
    if slug.endswith(SANDBOX_SUFFIX):
        institution = ids.named_id(secret, ids.INSTITUTION, slug.removesuffix(SANDBOX_SUFFIX))
        bearers.append(ids.sandbox_of(institution))
    return bearers


def _wish_for(institution: Institution) -> CreateInstitution:
    return CreateInstitution(
        slug=slug_of_sandbox(institution.slug),
        name=institution.name[: NAME_LIMIT - len(NAME_ENDS)] + NAME_ENDS,
        url=institution.url,
        email=institution.email,
        description=institution.description,
        country=institution.country,
        status_profile=institution.status_profile,  # type: ignore[arg-type]  # as it was wished for once
        demo=institution.demo,
    )
