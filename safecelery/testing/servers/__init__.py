"""Real brokers, and a database, for a test session or a demo, started on loopback and stopped by their own pid.

::

    ca = CertificateAuthority.create(directory)
    with RedisServer(directory, ca) as redis:
        Connection(redis.url, ssl=redis.broker_ssl)

Nothing of the system's own services is read or touched: own configuration, own ports, own accounts.
"""

from safecelery.brokers.redis_binary import REDIS_MISSING, RedisBinary, redis_binary
from safecelery.testing.servers.ca import CertificateAuthority, Identity, ServerCertificate
from safecelery.testing.servers.ports import free_ports
from safecelery.testing.servers.postgresql import POSTGRESQL_MISSING, PostgresServer, postgresql_programs
from safecelery.testing.servers.process import ManagedProcess, ServerError
from safecelery.testing.servers.rabbitmq import RABBITMQ_MISSING, RabbitServer, rabbitmq_scripts
from safecelery.testing.servers.redis import RedisServer

__all__ = [
    "POSTGRESQL_MISSING",
    "RABBITMQ_MISSING",
    "REDIS_MISSING",
    "CertificateAuthority",
    "Identity",
    "ManagedProcess",
    "PostgresServer",
    "RabbitServer",
    "RedisBinary",
    "RedisServer",
    "ServerCertificate",
    "ServerError",
    "free_ports",
    "postgresql_programs",
    "rabbitmq_scripts",
    "redis_binary",
]
