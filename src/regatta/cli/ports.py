"""Ports: bound before anything else starts, so that a port in use costs nothing."""

import errno
import socket

from regatta.domain.errors import EnvironmentFault


def bound(host: str, port: int) -> socket.socket:
    """Return a listening-ready socket on host and port.

    Raises EnvironmentFault naming the port when it is in use or may not be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    # A port whose last owner has just ended may be taken again at once; one in use may not.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as fault:
        listener.close()
        if fault.errno == errno.EADDRINUSE:
            raise EnvironmentFault(
                f"port {port} on {host} is in use; stop what uses it, or use another --port"
            ) from None
        if fault.errno == errno.EACCES:
            raise EnvironmentFault(f"port {port} on {host} is not allowed for this user; use one above 1023") from None
        raise EnvironmentFault(f"port {port} on {host} can't be used: {fault.strerror or fault}") from None
    listener.setblocking(False)
    return listener
