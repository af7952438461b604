"""Where a name may lead. It is resolved once, and the connection goes to the very address that was checked.

Of several answers those that are forbidden are passed over: one that nobody goes to does no harm.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Collection, Iterable
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Final, cast

import httpcore

_FORBIDDEN_IPV4: Final = tuple(
    ip_network(each)
    for each in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # inside providers; one cloud's metadata too
        "127.0.0.0/8",
        "168.63.129.16/32",  # global by number, but the inside of a cloud
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
# Every form that carries an IPv4 address inside lies outside the first, or inside one of the others.
_GLOBAL_IPV6: Final = ip_network("2000::/3")
_FORBIDDEN_IPV6: Final = tuple(
    ip_network(each) for each in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
_ADDRESSES_MAX: Final = 4

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Host and port to addresses; raises OSError."""

HostAndPort = tuple[str, int]


class AddressForbidden(Exception):
    """Nothing that the name leads to may be called."""


def is_public(address: str) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv4Address):
        return not any(found in network for network in _FORBIDDEN_IPV4)
    if found.scope_id is not None or found not in _GLOBAL_IPV6:
        return False
    return not any(found in network for network in _FORBIDDEN_IPV6)


async def resolve(host: str, port: int) -> list[str]:
    """As the system does; it also reads 127.1, 0x7f000001 and the like."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """`own` are the places that the operator named himself: they may be anywhere.

    TLS still asks for the name and its certificate; only the socket is given an address.
    """

    def __init__(
        self,
        own: Collection[HostAndPort],
        resolve: Resolve = resolve,
        dial: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._own = own
        self._resolve = resolve
        self._dial = dial or cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's own signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await self._addresses(host, port, timeout)
        each_seconds = None if timeout is None else timeout / len(addresses)
        for address in addresses[:-1]:
            try:
                return await self._dial.connect_tcp(
                    address, port, each_seconds, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._dial.connect_tcp(addresses[-1], port, each_seconds, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        await self._dial.sleep(seconds)

    async def _addresses(self, host: str, port: int, timeout_seconds: float | None) -> list[str]:
        """At least one; those we may go to."""
        try:
            async with asyncio.timeout(timeout_seconds):
                found = list(dict.fromkeys(await self._resolve(host, port)))
        except TimeoutError:
            raise httpcore.ConnectTimeout("no answer from the resolver") from None
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(type(error).__name__) from None
        allowed = [each for each in found if (host, port) in self._own or is_public(each)]
        if found and not allowed:
            raise AddressForbidden(f"{host} leads to a place that is not public")
        if not allowed:
            raise httpcore.ConnectError("the name has no address")
        return allowed[:_ADDRESSES_MAX]
