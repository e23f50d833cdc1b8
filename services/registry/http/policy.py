"""`/v1/policy` and `/policy`: what this ledger promises about erasure, in days."""

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency

from ledger.web import NotAcceptable, Pages, public
from registry.http.answers import HTML, JSON, AnyRequest, described, json_answer, kind_wanted, page_answer
from registry.parts import Registry
from registry.policy import policy_of


class ErasurePolicy(msgspec.Struct, frozen=True):
    """After `erasure_horizon_days` at most, no backup opens what was erased: keys that seal learners' data change every
    `kek_rotation_days`, and backups are kept for `backup_retention_days`."""

    kek_rotation_days: int
    backup_retention_days: int
    erasure_horizon_days: int


@get("/v1/policy", operation_id="getPolicy", opt=public(), tags=["History"],
     responses=described(ErasurePolicy, "The policy in force."))  # fmt: skip
async def get_policy(request: AnyRequest, registry: NamedDependency[Registry]) -> Response[bytes]:
    """How long what was erased may still lie, sealed, in backups. Changes are `ledger.policy_set` events."""
    return json_answer(request, _policy(registry), headers={"cache-control": "no-cache"})


@get("/policy", operation_id="readPolicy", opt=public(errors=[NotAcceptable]), tags=["History"],
     responses=described(ErasurePolicy, "The policy, as JSON or a page."))  # fmt: skip
async def policy_page(
    request: AnyRequest, registry: NamedDependency[Registry], pages: NamedDependency[Pages]
) -> Response[bytes]:
    """What becomes of personal data here, for people."""
    if kind_wanted(request, JSON, HTML) == JSON:
        return json_answer(request, _policy(registry))
    return page_answer(request, pages, "policy.html", policy=_policy(registry))


def _policy(registry: Registry) -> ErasurePolicy:
    return ErasurePolicy(**msgspec.structs.asdict(policy_of(registry.settings)))


HANDLERS = [get_policy, policy_page]
