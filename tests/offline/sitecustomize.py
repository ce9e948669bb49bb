"""A Python that finds this on its path reaches no other machine: names and addresses are refused."""

import socket
from typing import Any

HERE = ("127.0.0.1", "::1", "localhost")
_connect, _connect_ex, _getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo


def refuse(host: Any) -> None:
    """Raise `OSError` for another machine."""
    if host not in HERE:
        raise OSError(f"network: {host!r} was asked for; nothing may be fetched")


def connect(self: socket.socket, address: Any) -> None:
    """Connect within this machine."""
    if self.family != socket.AF_UNIX:
        refuse(address[0])
    _connect(self, address)


def connect_ex(self: socket.socket, address: Any) -> int:
    """Connect within this machine."""
    if self.family != socket.AF_UNIX:
        refuse(address[0])
    return _connect_ex(self, address)


def getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
    """Resolve the names of this machine."""
    refuse(host)
    return _getaddrinfo(host, *arguments, **options)


socket.socket.connect = connect  # type: ignore[method-assign]
socket.socket.connect_ex = connect_ex  # type: ignore[method-assign]
socket.getaddrinfo = getaddrinfo
