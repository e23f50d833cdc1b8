"""Signing keys in a hardware module, tried against SoftHSM: made inside, used from several processes, never told."""

import asyncio
import os
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator

import asyncpg
import pkcs11
import pytest
from pkcs11 import Attribute, ObjectClass
from tests.conftest import Database
from tests.running import ROOT
from tests.softhsm import SoftHsm

from ledger.errors import Unavailable
from ledger.keyring import Keyring
from ledger.keys import KeyGone, NotExtractable, SigningKeys, VaultKeys, signing_keys_for
from ledger.proofs import LocalSigner
from ledger.proofs.keys import from_multibase
from ledger.settings import Token

KEK = Keyring.single(b"k" * 32)
METHOD = "did:web:x.example#key"


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(database.issuance, min_size=1, max_size=4) as pool:
        yield pool


@pytest.fixture
def keys(pool: asyncpg.Pool, hsm: SoftHsm) -> SigningKeys:
    return signing_keys_for(pool, KEK, hsm.token)


def fresh() -> str:
    return f"key_{secrets.token_hex(8)}"


def objects(hsm: SoftHsm, label: str) -> list[dict[str, bool]]:
    """The private keys in the token under this label: whether each is sensitive and may leave."""
    library = pkcs11.lib(hsm.token.module)
    with library.get_token(token_label=hsm.token.label).open() as session:  # this process is logged in
        found = session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.LABEL: label})
        return [{"sensitive": k[Attribute.SENSITIVE], "extractable": k[Attribute.EXTRACTABLE]} for k in found]


@pytest.mark.parametrize("algorithm", ["Ed25519", "P-256"])
async def test_a_key_in_the_module_signs_what_its_public_key_verifies(keys: SigningKeys, algorithm: str) -> None:
    key_id = fresh()
    public = from_multibase(await keys.create("inst_a", key_id, algorithm))

    signer = await keys.signer(key_id, METHOD)
    signature = await asyncio.to_thread(signer.sign, b"a message")

    assert public.algorithm == signer.algorithm == algorithm
    assert public.verifies(signature, b"a message")
    assert not public.verifies(signature, b"another message")
    assert signer.verification_method == METHOD


async def test_ed25519_is_repeatable_in_the_module_and_ecdsa_is_not(keys: SigningKeys) -> None:
    signatures = {}
    for algorithm in ("Ed25519", "P-256"):
        await keys.create("inst_a", key_id := fresh(), algorithm)
        signer = await keys.signer(key_id, METHOD)
        signatures[algorithm] = {signer.sign(b"the same") for _ in range(3)}

    assert {algorithm: len(found) for algorithm, found in signatures.items()} == {"Ed25519": 1, "P-256": 3}
    assert keys.repeatable is False


async def test_the_private_key_is_sensitive_and_never_leaves(keys: SigningKeys, hsm: SoftHsm) -> None:
    await keys.create("inst_a", key_id := fresh(), "Ed25519")

    assert objects(hsm, key_id) == [{"sensitive": True, "extractable": False}]
    with pytest.raises(NotExtractable):
        await keys.take_out(key_id)


async def test_two_processes_that_make_the_same_key_keep_one(pool: asyncpg.Pool, hsm: SoftHsm) -> None:
    key_id = fresh()
    stores = [signing_keys_for(pool, KEK, hsm.token) for _ in range(4)]

    made = await asyncio.gather(*(store.create("inst_a", key_id, "P-256") for store in stores))

    assert len(set(made)) == 1
    assert len(objects(hsm, key_id)) == 1
    signature = (await stores[3].signer(key_id, METHOD)).sign(b"x")
    assert from_multibase(made[0]).verifies(signature, b"x")


async def test_a_destroyed_key_is_gone_from_the_module_and_signs_nothing_more(keys: SigningKeys, hsm: SoftHsm) -> None:
    await keys.create("inst_a", key_id := fresh(), "Ed25519")
    signer = await keys.signer(key_id, METHOD)

    await keys.destroy(key_id)

    assert objects(hsm, key_id) == []
    with pytest.raises(KeyGone):
        await keys.signer(key_id, METHOD)
    with pytest.raises(KeyGone):
        signer.sign(b"x")


async def test_keys_from_before_the_module_go_on_in_the_vault(pool: asyncpg.Pool, keys: SigningKeys) -> None:
    vault = VaultKeys(pool, KEK)
    public = await vault.create("inst_a", key_id := fresh(), "Ed25519")

    assert await keys.create("inst_a", key_id, "Ed25519") == public
    assert isinstance(await keys.signer(key_id, METHOD), LocalSigner)
    assert (await keys.take_out(key_id)).key_id == key_id


async def test_a_service_without_the_module_says_so(pool: asyncpg.Pool, keys: SigningKeys) -> None:
    await keys.create("inst_a", key_id := fresh(), "Ed25519")

    with pytest.raises(Unavailable, match="hardware security module"):
        await VaultKeys(pool, KEK).signer(key_id, METHOD)


@pytest.mark.parametrize(("label", "pin"), [("nobody", "1234"), ("credledger", "9999")])
def test_a_token_that_cannot_be_opened_is_a_wrong_setting_that_tells_no_pin(hsm: SoftHsm, label: str, pin: str) -> None:
    script = (
        "from ledger.keys.pkcs11 import TokenSession\n"
        "from ledger.settings import SettingsError, Token\n"
        "try:\n"
        f"    TokenSession(Token({hsm.token.module!r}, {label!r}, {pin!r}))\n"
        "except SettingsError as error:\n"
        "    print(error)\n"
    )
    told = {**os.environ, "PYTHONPATH": str(ROOT / "shared")}  # a process of its own: a login holds for a whole one

    ended = subprocess.run([sys.executable, "-c", script], env=told, capture_output=True, text=True, check=True)

    assert ended.stdout == f"CREDLEDGER_PKCS11_MODULE: the token {label!r} cannot be used\n"
    assert pin not in ended.stdout + repr(Token("m", label, pin))
