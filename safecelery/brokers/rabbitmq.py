"""RabbitMQ: kombu's pyamqp transport, checking the host name of the host it really talks to."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

import amqp
from amqp import spec
from kombu.transport import pyamqp

from safecelery.brokers.bounds import Bounds
from safecelery.brokers.interface import Tls, Wire, floor_name
from safecelery.brokers.rabbitmq_frames import deliver_arguments, frame_handler
from safecelery.brokers.rabbitmq_park import delayed
from safecelery.brokers.undecoded import Undecoded
from safecelery.policy.facts import Tri
from safecelery.policy.limits import Limits

__all__ = ["RabbitMQBroker", "RabbitMQTransport"]


class _Message(pyamqp.Message, Undecoded):
    def __init__(self, msg: Any, channel: Any = None, **kwargs: Any) -> None:
        super().__init__(msg, channel=channel, **kwargs)
        self.amiss, self.spool = getattr(msg, "amiss", None), getattr(msg, "spool", None)


class RabbitMQChannel(pyamqp.Channel):
    """kombu's channel; bodies stay bytes whatever ``content_encoding`` the message claims."""

    Message = _Message
    parks_by_publishing = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["auto_decode"] = False  # amqp/channel.py would decode with a codec that the message names
        super().__init__(*args, **kwargs)

    def dispatch_method(self, method_sig: Any, payload: Any, content: Any) -> Any:
        """As amqp's; where a message was published to is read without trust in its being text."""
        if method_sig != spec.Basic.Deliver or self.is_closing:
            return super().dispatch_method(method_sig, payload, content)
        return self._on_basic_deliver(*deliver_arguments(payload), content)


class _Connection(pyamqp.Connection):
    Channel = RabbitMQChannel

    def __init__(self, *args: Any, body_limit: int = Bounds().item_bytes, **kwargs: Any) -> None:
        self.body_limit = body_limit
        super().__init__(*args, frame_handler=frame_handler, **kwargs)


class RabbitMQTransport(pyamqp.SSLTransport):
    """kombu's pyamqp transport with a host name check that follows failover.

    ``server_hostname: None`` means "from the URL" in kombu, but it is written into the dictionary that all
    hosts of a failover list share, after ``localhost`` became ``127.0.0.1``: the second host is checked
    against the first one's name (kombu/transport/pyamqp.py, ``establish_connection``).
    """

    Connection = _Connection

    def __init__(self, client: Any, **kwargs: Any) -> None:
        wanted = client.ssl
        super().__init__(client, **kwargs)
        client.ssl = wanted  # SSLTransport turns "no TLS" into "TLS with defaults"; the policy decides that, not we

    def establish_connection(self) -> amqp.Connection:
        """Connect, with the options' copy naming this host."""
        client = self.client
        shared, host = client.ssl, client.hostname
        options, bounds = client.transport_options, getattr(client, "bounds", None) or Bounds()
        if isinstance(shared, dict) and shared.get("server_hostname", "") is None:
            client.ssl = {**shared, "server_hostname": host}
        try:
            client.transport_options = {**(options or {}), "body_limit": bounds.item_bytes}  # arguments of _Connection
            return super().establish_connection()
        finally:
            client.ssl, client.hostname, client.transport_options = shared, host, options


class RabbitMQBroker:
    """RabbitMQ (AMQP 0-9-1)."""

    name = "rabbitmq"
    transports: Mapping[str, type[Any]] = {
        "amqp": RabbitMQTransport,
        "amqps": RabbitMQTransport,
        "pyamqp": RabbitMQTransport,
    }

    def ssl_options(self, tls: Tls) -> dict[str, Any]:
        """As amqp spells them (amqp/transport.py, ``SSLTransport._wrap_socket_sni``)."""
        options: dict[str, Any] = {
            "cert_reqs": ssl.CERT_REQUIRED,
            "server_hostname": None,
            "tls_minimum_version": ssl.TLSVersion[tls.floor.replace(".", "_")],
        }
        if tls.ca_file:
            options["ca_certs"] = str(tls.ca_file)
        if tls.cert_file:
            options |= {"certfile": str(tls.cert_file), "keyfile": str(tls.key_file or tls.cert_file)}
        return options

    def settings(self, limits: Limits) -> dict[str, Any]:
        """Quorum queues (delivery count, no loss on fail-over), a topic exchange so that Celery's native delayed
        delivery can hold ETA messages, and publisher confirms: without them a refused message is lost silently.
        Queues that are only named (``-Q extra``, ``queue="extra"``) get the same.
        """
        return {
            "task_default_queue_type": "quorum",
            "task_default_exchange_type": "topic",
            "task_create_missing_queue_type": "quorum",
            "task_create_missing_queue_exchange_type": "topic",
            "broker_transport_options": {"confirm_publish": True},
        }

    def parked(self, connection: Any, queues: Sequence[str]) -> int:
        """In the queues of Celery's native delayed delivery, which hold those of every queue of the virtual host."""
        return delayed(connection)

    def wire(self, url: str, ssl: object) -> Wire:
        """``amqps://`` and ``True`` verify the chain but not the host name (measured)."""
        parts = urlsplit(url)
        options: dict[str, Any] = ssl if isinstance(ssl, dict) else {}
        tls: Tri = parts.scheme == "amqps" or bool(ssl)
        context = "context" in options
        return Wire(
            tls=tls,
            verified=tls and _chain_checked(options),
            host_checked=tls and (options["context"].get("check_hostname") is True if context else _named(options)),
            tls_floor=floor_name(options.get("tls_minimum_version"), tls=tls),
            local=False,
            password=_password(parts.username, parts.password),
        )


def _chain_checked(options: dict[str, Any]) -> bool:
    return bool(options.get("cert_reqs", ssl.CERT_REQUIRED) == ssl.CERT_REQUIRED)


def _named(options: dict[str, Any]) -> bool:
    return bool(options.get("server_hostname", "") != "")


def _password(user: str | None, password: str | None) -> Literal["none", "default", "set"]:
    if user is None or password is None or (user, password) == ("guest", "guest"):
        return "default"  # kombu fills in guest:guest
    return "none" if not password else "default" if password == user else "set"
