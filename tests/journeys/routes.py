"""The route tables of the three services, read from the applications themselves, and keys that open their routes."""

from functools import cache

import msgspec
from tests.running import Institution, Running

import issuance.app
import registry.app
import revocation.app
from ledger.access import ROLE_SCOPES
from ledger.settings import Settings
from ledger.web import Plan, plans_of

APPS = {"issuance": issuance.app.app, "registry": registry.app.app, "revocation": revocation.app.app}


class Route(msgspec.Struct, frozen=True):
    """One operation of a service."""

    service: str
    method: str
    template: str

    def __str__(self) -> str:
        return f"{self.service} {self.method} {self.template}"


@cache
def plans() -> dict[Route, Plan]:
    """What every route of every service states about itself."""
    names = ("SERVER_SECRET", "KEY_PEPPER", "KEK", "SIGNING_KEK")
    environment = {"CREDLEDGER_DATABASE_URL": "postgresql://nowhere", **{f"CREDLEDGER_{n}": "00" * 32 for n in names}}
    return {
        Route(service, method, plan.template): plan
        for service, app in APPS.items()
        for plan in plans_of(app(Settings.from_environment(service, environment)))
        for method in plan.methods
    }


def key_for(plan: Plan, ledger: Running, institution: Institution) -> str | None:
    """A key that opens a route: the institution's where that is enough, else the operator's; None for a public one."""
    if plan.scope is None:
        return None
    return institution.api_key if plan.scope in ROLE_SCOPES["institution"] else ledger.operator
