"""A ledger that a journey may kill, look into and rotate the keys of, shared by those that do."""

import json
import secrets
from typing import Any

import asyncpg
import msgspec
from tests.conftest import Database, run_apart
from tests.running import Institution, Running

from ledger.keyring import keys_in, text_of

Json = dict[str, Any]


class Whole(msgspec.Struct, frozen=True):
    """A ledger of its own, whose backups expire at once, and an institution in it."""

    ledger: Running
    database: Database
    institution: Institution
    achievement: str

    def sql(self, statement: str, *values: Any) -> list[Any]:
        """Rows, as the database's owner."""

        async def asked() -> list[Any]:
            owner = await asyncpg.connect(self.database.url)
            try:
                return list(await owner.fetch(statement, *values))
            finally:
                await owner.close()

        return run_apart(asked())

    def many(self, statement: str, rows: list[Any]) -> None:
        async def done() -> None:
            owner = await asyncpg.connect(self.database.url)
            try:
                await owner.executemany(statement, rows)
            finally:
                await owner.close()

        run_apart(done())

    def events(self, *types: str) -> list[Json]:
        text = self.ledger.get("registry", "/v1/events?limit=100000", key=self.ledger.operator).text
        return [line for line in map(json.loads, text.splitlines()) if line["type"] in types]

    def rings(self) -> dict[str, Json]:
        answer = self.ledger.get("issuance", "/v1/key-encryption", key=self.ledger.operator)
        assert answer.status_code == 200, answer.text
        return {ring["ring"]: ring for ring in answer.json()["rings"]}

    def sealed(self, ring: str) -> dict[int, int]:
        return {epoch["epoch"]: epoch["sealed"] for epoch in self.rings()[ring]["epochs"]}

    def award(self, email: str) -> Json:
        made: Json = self.ledger.award(self.institution, self.achievement, email)
        return made

    def rotate(self, name: str) -> int:
        """Put a fresh key first in a keyring; its epoch."""
        file = self.ledger.keyring_file(name)
        keys = keys_in(file.read_text())
        epoch = max(keys) + 1
        new = file.with_name(f"{file.name}.new")
        new.write_text(text_of({epoch: secrets.token_bytes(32), **keys}))
        new.rename(file)
        return epoch
