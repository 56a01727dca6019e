"""TCP endpoints that stand before a broker: under another address, or speaking one TLS version only."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

from safecelery.testing.servers import Identity

__all__ = ["OTHER_ADDRESS", "forwarded", "only_tls_1_2"]

#: Reaches this host, and is in nobody's certificate.
OTHER_ADDRESS = "127.0.0.2"


@contextlib.contextmanager
def forwarded(port: int) -> Iterator[int]:
    """A port on ``OTHER_ADDRESS`` behind which the server of ``port`` answers."""

    def serve(client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", port)) as server:
            back = threading.Thread(target=_pump, args=(server, client), daemon=True)
            back.start()
            _pump(client, server)
            back.join()

    with _listening(OTHER_ADDRESS, serve) as own:
        yield own


@contextlib.contextmanager
def only_tls_1_2(identity: Identity, spoken: list[str]) -> Iterator[int]:
    """A port on localhost that completes a TLS 1.2 handshake, notes the version in ``spoken``, and hangs up."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(identity.certificate, identity.key)

    def serve(client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), context.wrap_socket(client, server_side=True) as encrypted:
            spoken.append(encrypted.version() or "")

    with _listening("127.0.0.1", serve) as own:
        yield own


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def _listening(address: str, serve: Callable[[socket.socket], None]) -> Iterator[int]:
    listener = socket.create_server((address, 0))
    workers: list[threading.Thread] = []

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                client.settimeout(20)
                worker = threading.Thread(target=serve, args=(client,), daemon=True)
                worker.start()
                workers.append(worker)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
        for worker in workers:
            worker.join(5)
