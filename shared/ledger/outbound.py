"""The one guard for requests that go out: whoever names the address, no private target is ever reached.

Rules. Only https on port 443, without user info; other places are those of `CREDLEDGER_OUTBOUND_ALLOW` (host:port, test
mode only), which may be private and plain http. A name is resolved once and *every* address it has must be public, also
what is wrapped in an IPv6 address; the connection goes to a checked address, with the name as SNI and Host, so that a
name server cannot answer differently the second time. Redirects are followed only as often as the caller says, and each
hop passes the same guard. No proxy from the environment, no cookies, no compression (a small answer could unpack to a
large one); size and total time have caps.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable

import httpx
import msgspec

from ledger.errors import LedgerError, Refused

URL_LIMIT = 2000
ADDRESSES_TRIED = 3

# Python's tables of addresses differ between releases; these are refused whatever they say (IANA special-purpose
# registries, RFC 6890): IETF assignments, 6to4 relays, and every IPv6 block but the one that is in use for hosts.
_REFUSED_V4 = tuple(map(ipaddress.IPv4Network, ("192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4")))
_HOSTS_V6 = ipaddress.IPv6Network("2000::/3")
_REFUSED_V6 = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "3fff::/20")))
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]


class TargetRefused(Refused):
    """The address is none that this ledger asks: not https, another port, or not on the public Internet."""


class Unreachable(LedgerError):
    """The other side did not answer as it should: no connection, an error status, too slow or too large."""

    status, code, title = 502, "unreachable", "Another server did not answer as it should"


class Fetched(msgspec.Struct, frozen=True):
    """An answer with status 200: where it came from after redirects, its media type in lower case, its bytes."""

    url: str
    media_type: str
    body: bytes


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one fetch may cost; `seconds` is the whole exchange, redirects and reading included."""

    size_bytes: int = 1024 * 1024
    seconds: float = 5.0
    redirects: int = 0


async def resolve_name(host: str, port: int) -> list[str]:
    """Every address of a name, as the system resolves it. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether an address lies on the public Internet, also after unwrapping IPv4-mapped, NAT64 and 6to4 addresses."""
    try:
        found = _unwrapped(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return False
    if not found.is_global or found.is_multicast:
        return False
    if isinstance(found, ipaddress.IPv4Address):
        return not any(found in network for network in _REFUSED_V4)
    return found in _HOSTS_V6 and not any(found in network for network in _REFUSED_V6)


def _unwrapped(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else address


class Outbound:
    """Fetches what a stranger named. `allow` are the exceptions, `certificates` the trusted roots (default: public)."""

    def __init__(
        self,
        allow: Iterable[str] = (),
        *,
        resolve: Resolve = resolve_name,
        certificates: ssl.SSLContext | None = None,
    ) -> None:
        self._allow = frozenset(entry.strip().lower() for entry in allow)
        self._resolve = resolve
        self._certificates = certificates or httpx.create_ssl_context(trust_env=False)

    def is_exception(self, host: str, port: int) -> bool:
        """Whether the operator of a test ledger opened this place, which then may be private and plain http."""
        return f"{host}:{port}".lower() in self._allow

    def check(self, url: str) -> httpx.URL:
        """The parsed address when its form is allowed; nothing is asked. Raises TargetRefused."""
        if len(url) > URL_LIMIT:
            raise TargetRefused(f"The address is longer than {URL_LIMIT} characters.")
        try:
            parsed = httpx.URL(url)
        except (httpx.InvalidURL, ValueError) as error:
            raise TargetRefused("This is not a web address.") from error
        self._check_form(parsed)
        return parsed

    async def get(self, url: str, *, accept: str, limits: Limits = Limits()) -> Fetched:  # noqa: B008 - immutable
        """What lies at `url`. Raises TargetRefused or Unreachable."""
        target = self.check(url)
        headers = {"accept": accept, "accept-encoding": "identity", "user-agent": "credledger"}
        client = httpx.AsyncClient(
            transport=_Guarded(self, self._certificates),
            headers=headers,
            timeout=limits.seconds,
            follow_redirects=limits.redirects > 0,
            max_redirects=limits.redirects,
            trust_env=False,
        )
        try:
            async with asyncio.timeout(limits.seconds), client, client.stream("GET", target) as answer:
                return await _read(answer, limits.size_bytes)
        except TimeoutError as error:
            raise Unreachable(f"{target.host} did not answer within {limits.seconds:g} seconds.") from error
        except httpx.TooManyRedirects as error:
            raise Unreachable(f"{target.host} redirects more than {limits.redirects} times.") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise Unreachable(f"{target.host} cannot be reached.") from error

    async def addresses(self, url: httpx.URL) -> list[str]:
        """The checked addresses behind a URL, in the order to try. Raises TargetRefused or Unreachable."""
        self._check_form(url)
        host, port = url.host, _port(url)
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise Unreachable(f"There is no server called {host}.") from error
        if not found:
            raise Unreachable(f"There is no server called {host}.")
        if not self.is_exception(host, port) and not all(is_public(address) for address in found):
            raise TargetRefused(f"{host} is not on the public Internet; such addresses are not asked.")
        return found[:ADDRESSES_TRIED]

    def _check_form(self, url: httpx.URL) -> None:
        if url.scheme not in ("https", "http") or not url.host:
            raise TargetRefused("Only https addresses are asked.")
        if url.userinfo:
            raise TargetRefused("An address with a user name or password in it is not asked.")
        if self.is_exception(url.host, _port(url)):
            return
        if url.scheme != "https":
            raise TargetRefused("Only https addresses are asked.")
        if _port(url) != 443:
            raise TargetRefused("Only the https port, 443, is asked.")


class _Guarded(httpx.AsyncBaseTransport):
    """Sends each request, each hop of a redirect too, to a checked address, under its own name."""

    def __init__(self, guard: Outbound, certificates: ssl.SSLContext) -> None:
        self._guard = guard
        # A kept connection would be found again by its address, and serve another name than it was opened for.
        unkept = httpx.Limits(max_keepalive_connections=0)
        self._plain = httpx.AsyncHTTPTransport(verify=certificates, trust_env=False, limits=unkept)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        addresses = await self._guard.addresses(request.url)
        for address in addresses[:-1]:
            try:
                return await self._send(request, address)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await self._send(request, addresses[-1])

    async def aclose(self) -> None:
        await self._plain.aclose()

    async def _send(self, request: httpx.Request, address: str) -> httpx.Response:
        """The same request to one address: its Host header is already set, its name goes along as SNI."""
        named = {**request.extensions, "sni_hostname": request.url.host}
        url = request.url.copy_with(host=address)
        pinned = httpx.Request(request.method, url, headers=request.headers, stream=request.stream, extensions=named)
        return await self._plain.handle_async_request(pinned)


async def _read(answer: httpx.Response, size_limit: int) -> Fetched:
    host = answer.request.url.host
    if answer.status_code != 200:
        raise Unreachable(f"{host} answered with status {answer.status_code}.")
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        raise Unreachable(f"{host} answered compressed although it was asked not to.")
    body = bytearray()
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) > size_limit:
            raise Unreachable(f"{host} answered with more than {size_limit} bytes.")
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    return Fetched(str(answer.request.url), media_type, bytes(body))


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)
