"""The guard for outgoing requests, against real servers here and a table of places that must not be asked."""

import asyncio
import datetime as dt
import os
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ledger.outbound import Limits, Outbound, TargetRefused, Unreachable, is_public

Answer = Callable[[str], bytes | Awaitable[bytes]]


def plain(body: bytes, *fields: str, status: str = "200 OK") -> bytes:
    head = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *fields]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


@asynccontextmanager
async def server(answer: Answer, certificate: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, list[str]]]:
    """A server on a free port; gives the port and the heads of the requests that it was sent."""
    seen: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            seen.append(head)
            said = answer(head)
            writer.write(said if isinstance(said, bytes) else await said)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    started = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=certificate)
    async with started:
        yield started.sockets[0].getsockname()[1], seen


async def loopback(_host: str, _port: int) -> list[str]:
    return ["127.0.0.1"]


def allowing(port: int, host: str = "localhost") -> Outbound:
    return Outbound([f"{host}:{port}"], resolve=loopback)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104 - refused, not bound
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "224.0.0.251",
        "239.255.255.250",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "not an address",
    ],
)
def test_an_address_that_is_not_on_the_public_internet_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "192.0.1.1", "2606:4700:4700::1111", "2002:808:808::1", "64:ff9b::808:808", "::ffff:8.8.8.8"],
)
def test_a_public_address_is_public_also_when_it_is_wrapped(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://issuer.example/", "Only https"),
        ("ftp://issuer.example/", "Only https"),
        ("file:///etc/passwd", "Only https"),
        ("gopher://issuer.example/", "Only https"),
        ("data:application/json,{}", "Only https"),
        ("https:///did.json", "Only https"),
        ("issuer.example", "Only https"),
        ("https://issuer.example:8443/", "port, 443"),
        ("https://issuer.example:22/", "port, 443"),
        ("https://name:word@issuer.example/", "user name"),
        ("https://name@issuer.example/", "user name"),
        ("https://issuer.example:99999/", "port, 443"),
        ("https://[::1/", "not a web address"),
        ("https://issuer.example/" + "a" * 2000, "longer than"),
        ("https://127.0.0.1/", "public Internet"),
        ("https://[::1]/", "public Internet"),
        ("https://[::ffff:169.254.169.254]/", "public Internet"),
        ("https://169.254.169.254/latest/meta-data/", "public Internet"),
        ("https://2130706433/", "public Internet"),
        ("https://0x7f.1/", "public Internet"),
        ("https://localhost/", "public Internet"),
    ],
)
async def test_a_target_that_must_not_be_asked_is_refused_with_the_reason(url: str, reason: str) -> None:
    with pytest.raises(TargetRefused, match=reason):
        await Outbound().get(url, accept="*/*")


async def test_one_private_address_among_public_ones_refuses_the_name() -> None:
    async def mixed(_host: str, _port: int) -> list[str]:
        return ["8.8.8.8", "10.0.0.1"]

    with pytest.raises(TargetRefused, match="public Internet"):
        await Outbound(resolve=mixed).get("https://issuer.example/", accept="*/*")


async def test_a_name_without_a_server_is_unreachable() -> None:
    async def nothing(_host: str, _port: int) -> list[str]:
        raise OSError("no such name")

    with pytest.raises(Unreachable, match=r"no server called issuer\.example"):
        await Outbound(resolve=nothing).get("https://issuer.example/", accept="*/*")


async def test_an_opened_place_is_read_under_its_own_name() -> None:
    async with server(lambda _head: plain(b"{}", "content-type: Application/JSON; charset=utf-8")) as (port, seen):
        fetched = await allowing(port).get(f"http://localhost:{port}/did.json", accept="application/json")

    assert (fetched.body, fetched.media_type) == (b"{}", "application/json")
    head = seen[0].lower()
    assert f"host: localhost:{port}" in head
    assert "accept-encoding: identity" in head
    assert "cookie" not in head


async def test_only_the_opened_port_is_open() -> None:
    async with server(lambda _head: plain(b"{}")) as (port, seen):
        with pytest.raises(TargetRefused):
            await allowing(port + 1).get(f"http://localhost:{port}/", accept="*/*")

    assert seen == []


async def test_a_name_is_resolved_once_so_that_it_cannot_answer_differently_later() -> None:
    asked: list[str] = []

    async def turning(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    async with server(lambda _head: plain(b"first")) as (port, _):
        guard = Outbound([f"issuer.example:{port}"], resolve=turning)
        fetched = await guard.get(f"http://issuer.example:{port}/", accept="*/*")

    assert (fetched.body, asked) == (b"first", ["issuer.example"])


async def test_a_redirect_is_an_error_unless_the_caller_takes_some() -> None:
    async with server(lambda _head: plain(b"", "location: /there", status="302 Found")) as (port, seen):
        with pytest.raises(Unreachable, match="status 302"):
            await allowing(port).get(f"http://localhost:{port}/", accept="*/*")

    assert len(seen) == 1


async def test_a_redirect_to_a_private_place_is_refused() -> None:
    away = plain(b"", "location: https://169.254.169.254/latest/", status="302 Found")
    async with server(lambda _head: away) as (port, _):
        guard = Outbound([f"localhost:{port}"])
        with pytest.raises(TargetRefused, match="public Internet"):
            await guard.get(f"http://localhost:{port}/", accept="*/*", limits=Limits(redirects=2))


async def test_a_redirect_is_followed_as_often_as_the_caller_says() -> None:
    def turn(head: str) -> bytes:
        return plain(b"here") if head.startswith("GET /b") else plain(b"", "location: /b", status="301 Moved")

    async with server(turn) as (port, _):
        fetched = await allowing(port).get(f"http://localhost:{port}/a", accept="*/*", limits=Limits(redirects=1))

    assert (fetched.body, fetched.url) == (b"here", f"http://localhost:{port}/b")


async def test_a_circle_of_redirects_ends() -> None:
    async with server(lambda _head: plain(b"", "location: /", status="302 Found")) as (port, seen):
        with pytest.raises(Unreachable, match="redirects more than 3 times"):
            await allowing(port).get(f"http://localhost:{port}/", accept="*/*", limits=Limits(redirects=3))

    assert len(seen) == 4


async def test_an_answer_that_is_too_large_is_cut_off() -> None:
    async with server(lambda _head: plain(b"x" * 2000)) as (port, _):
        with pytest.raises(Unreachable, match="more than 1000 bytes"):
            await allowing(port).get(f"http://localhost:{port}/", accept="*/*", limits=Limits(size_bytes=1000))


async def test_a_compressed_answer_is_not_unpacked() -> None:
    async with server(lambda _head: plain(b"\x1f\x8b", "content-encoding: gzip")) as (port, _):
        with pytest.raises(Unreachable, match="compressed"):
            await allowing(port).get(f"http://localhost:{port}/", accept="*/*")


async def test_a_server_that_never_answers_costs_no_more_than_the_deadline() -> None:
    silent = asyncio.Event()

    async def never() -> bytes:
        await silent.wait()
        return b""

    async with server(lambda _head: never()) as (port, _):
        with pytest.raises(Unreachable, match=r"localhost"):
            await allowing(port).get(f"http://localhost:{port}/", accept="*/*", limits=Limits(seconds=0.2))
        silent.set()


async def test_a_server_that_trickles_costs_no_more_than_the_deadline() -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        try:
            while await reader.read(1):  # until the other side leaves
                continue
        except ConnectionError:
            pass
        writer.close()

    async with await asyncio.start_server(trickle, "127.0.0.1", 0) as started:
        port = started.sockets[0].getsockname()[1]
        with pytest.raises(Unreachable):
            await allowing(port).get(f"http://localhost:{port}/", accept="*/*", limits=Limits(seconds=0.2))


async def test_a_port_where_nobody_listens_is_unreachable() -> None:
    async with server(lambda _head: b"") as (port, _):
        pass

    with pytest.raises(Unreachable, match="cannot be reached"):
        await allowing(port).get(f"http://localhost:{port}/", accept="*/*")


FETCH = """
import asyncio, sys
from ledger.outbound import Outbound
port = sys.argv[1]
print(asyncio.run(Outbound([f"localhost:{port}"]).get(f"http://localhost:{port}/", accept="*/*")).body.decode())
"""


async def test_no_proxy_of_the_environment_is_asked() -> None:
    async with (
        server(lambda _head: plain(b"direct")) as (port, _),
        server(lambda _head: plain(b"proxy")) as (other, seen),
    ):
        proxy = f"http://127.0.0.1:{other}"
        environment = {**os.environ, "HTTP_PROXY": proxy, "ALL_PROXY": proxy, "PYTHONPATH": os.pathsep.join(sys.path)}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", FETCH, str(port), env=environment, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await process.communicate()

    assert (said.decode().strip(), seen) == ("direct", [])


async def test_tls_is_checked_for_the_name_although_the_connection_goes_to_an_address(tmp_path: Path) -> None:
    roots, serving = certificate_for("issuer.example", tmp_path)
    async with server(lambda _head: plain(b"secure"), serving) as (port, seen):
        guard = Outbound([f"issuer.example:{port}", f"other.example:{port}"], resolve=loopback, certificates=roots)
        fetched = await guard.get(f"https://issuer.example:{port}/", accept="*/*")
        with pytest.raises(Unreachable):
            await guard.get(f"https://other.example:{port}/", accept="*/*")

    assert fetched.body == b"secure"
    assert len(seen) == 1
    assert f"host: issuer.example:{port}" in seen[0].lower()


def certificate_for(name: str, folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Contexts for a client that trusts, and a server that has, a self-signed certificate of this name."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(Encoding.PEM)
    file = folder / "server.pem"
    file.write_bytes(pem + key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(file)
    return ssl.create_default_context(cadata=pem.decode()), serving


def test_exceptions_are_places_not_networks() -> None:
    guard = Outbound([" Issuer.example:8443 "])

    assert guard.is_exception("issuer.example", 8443)
    assert not guard.is_exception("issuer.example", 443)
    assert not guard.is_exception("sub.issuer.example", 8443)
