"""The names under which Python knows exception classes that packages also export elsewhere.

Read off the classes themselves (``__module__`` and ``__qualname__``) with Python 3.11, Celery 5.7, Django 5, redis 6,
requests 2, urllib3 2, aiohttp 3, SQLAlchemy 2, psycopg2 2.9, elasticsearch 9.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["canonical_exception"]

_HOMES: Final[Mapping[str, str]] = {
    "requests": "requests.exceptions",
    "requests.packages.urllib3.exceptions": "urllib3.exceptions",
    "urllib3": "urllib3.exceptions",
    "redis": "redis.exceptions",
    "redis.client": "redis.exceptions",
    "redis.connection": "redis.exceptions",
    "redis.lock": "redis.exceptions",
    "redis.cluster": "redis.exceptions",
    "redis.asyncio": "redis.exceptions",
    "aiohttp": "aiohttp.client_exceptions",
    "amqp": "amqp.exceptions",
    "billiard": "billiard.exceptions",
    "django.db": "django.db.utils",
    "django.db.transaction": "django.db.utils",
    "celery.backends.base": "celery.exceptions",
    "asyncio": "asyncio.exceptions",
    "multiprocessing": "multiprocessing.context",
    "billiard.context": "multiprocessing.context",
    "urllib.request": "urllib.error",
    "xml.sax": "xml.sax._exceptions",
    "stripe": "stripe._error",
    "stripe.error": "stripe._error",
    "botocore.errorfactory": "botocore.exceptions",
    "elasticsearch.exceptions": "elasticsearch",
    "elasticsearch8.exceptions": "elasticsearch8",
    "elasticsearch9.exceptions": "elasticsearch9",
}
"""Modules that export exceptions of another one, and that one."""

_SAME: Final[Mapping[str, str]] = {
    "builtins.IOError": "builtins.OSError",
    "builtins.EnvironmentError": "builtins.OSError",
    "socket.error": "builtins.OSError",
    "select.error": "builtins.OSError",
    "os.error": "builtins.OSError",
    "ssl.socket_error": "builtins.OSError",
    "ssl.CertificateError": "ssl.SSLCertVerificationError",
    "socket.timeout": "builtins.TimeoutError",
    "concurrent.futures.TimeoutError": "builtins.TimeoutError",
    "concurrent.futures.CancelledError": "concurrent.futures._base.CancelledError",
    "concurrent.futures.InvalidStateError": "concurrent.futures._base.InvalidStateError",
    "concurrent.futures.BrokenExecutor": "concurrent.futures._base.BrokenExecutor",
    "asyncio.exceptions.TimeoutError": "builtins.TimeoutError",
    "asyncio.exceptions.QueueEmpty": "asyncio.queues.QueueEmpty",
    "asyncio.exceptions.QueueFull": "asyncio.queues.QueueFull",
    "asyncio.exceptions.QueueShutDown": "asyncio.queues.QueueShutDown",
    "kombu.exceptions.TimeoutError": "builtins.TimeoutError",
    "kombu.exceptions.ChannelError": "amqp.exceptions.ChannelError",
    "kombu.exceptions.ConnectionError": "amqp.exceptions.ConnectionError",
    "kombu.exceptions.ResourceError": "amqp.exceptions.ResourceError",
    "celery.exceptions.SoftTimeLimitExceeded": "billiard.exceptions.SoftTimeLimitExceeded",
    "celery.exceptions.TimeLimitExceeded": "billiard.exceptions.TimeLimitExceeded",
    "celery.exceptions.WorkerLostError": "billiard.exceptions.WorkerLostError",
    "celery.exceptions.Terminated": "billiard.exceptions.Terminated",
    "celery.exceptions.OperationalError": "kombu.exceptions.OperationalError",
    "celery.exceptions.RetryTaskError": "celery.exceptions.Retry",
    "celery.exceptions.SystemTerminate": "celery.exceptions.WorkerTerminate",
    "billiard.exceptions.TimeoutError": "multiprocessing.context.TimeoutError",
    "json.JSONDecodeError": "json.decoder.JSONDecodeError",
    "http.client.error": "http.client.HTTPException",
    "zipfile.error": "zipfile.BadZipFile",
    "zipfile.BadZipfile": "zipfile.BadZipFile",
    "pickle.PickleError": "_pickle.PickleError",
    "pickle.PicklingError": "_pickle.PicklingError",
    "pickle.UnpicklingError": "_pickle.UnpicklingError",
    "queue.Empty": "_queue.Empty",
    "csv.Error": "_csv.Error",
    "lzma.LZMAError": "_lzma.LZMAError",
    "threading.ThreadError": "builtins.RuntimeError",
    "zoneinfo.ZoneInfoNotFoundError": "zoneinfo._common.ZoneInfoNotFoundError",
    "xml.parsers.expat.error": "xml.parsers.expat.ExpatError",
    "requests.exceptions.IOError": "builtins.OSError",
    "requests.exceptions.BaseHTTPError": "urllib3.exceptions.HTTPError",
    "urllib3.exceptions.ConnectionError": "urllib3.exceptions.ProtocolError",
    "django.db.utils.ConnectionDoesNotExist": "django.utils.connection.ConnectionDoesNotExist",
    "django.db.utils.TransactionManagementError": "django.db.transaction.TransactionManagementError",
    "django.db.models.ObjectDoesNotExist": "django.core.exceptions.ObjectDoesNotExist",
    "django.db.models.ProtectedError": "django.db.models.deletion.ProtectedError",
    "django.db.models.RestrictedError": "django.db.models.deletion.RestrictedError",
    "django.db.models.IntegrityError": "django.db.utils.IntegrityError",
    "django.db.models.OperationalError": "django.db.utils.OperationalError",
    "django.http.Http404": "django.http.response.Http404",
    "django.shortcuts.Http404": "django.http.response.Http404",
    "django.http.BadHeaderError": "django.http.response.BadHeaderError",
    "django.core.mail.BadHeaderError": "django.core.mail.message.BadHeaderError",
    "django.core.management.CommandError": "django.core.management.base.CommandError",
    "django.core.validators.ValidationError": "django.core.exceptions.ValidationError",
    "django.forms.ValidationError": "django.core.exceptions.ValidationError",
    "django.template.TemplateDoesNotExist": "django.template.exceptions.TemplateDoesNotExist",
    "django.template.TemplateSyntaxError": "django.template.exceptions.TemplateSyntaxError",
    "django.urls.NoReverseMatch": "django.urls.exceptions.NoReverseMatch",
    "sendgrid.SendGridException": "sendgrid.helpers.mail.exceptions.SendGridException",
    "sqlalchemy.orm.exc.NoResultFound": "sqlalchemy.exc.NoResultFound",
    "sqlalchemy.orm.exc.MultipleResultsFound": "sqlalchemy.exc.MultipleResultsFound",
    "sqlalchemy.orm.exc.ConcurrentModificationError": "sqlalchemy.orm.exc.StaleDataError",
    **{
        f"{package}.{name}": home.format(package)
        for package in ("elasticsearch", "elasticsearch8", "elasticsearch9")  # packages of one version have its number
        for name, home in (
            ("ConnectionError", "elastic_transport.ConnectionError"),
            ("ConnectionTimeout", "elastic_transport.ConnectionTimeout"),
            ("TransportError", "elastic_transport.TransportError"),
            ("SerializationError", "elastic_transport.SerializationError"),
            ("SSLError", "elastic_transport.TlsError"),
            ("RequestError", "{}.BadRequestError"),
        )
    },
    "psycopg2.errors.QueryCanceledError": "psycopg2.extensions.QueryCanceledError",
    "psycopg2.errors.TransactionRollbackError": "psycopg2.extensions.TransactionRollbackError",
    **{
        f"psycopg2.errors.{name}": f"psycopg2.{name}"
        for name in (
            "Error", "DatabaseError", "DataError", "IntegrityError", "InterfaceError", "InternalError",
            "NotSupportedError", "OperationalError", "ProgrammingError",
        )
    },
}  # fmt: skip
"""Single classes. Looked at after the homes."""


def canonical_exception(dotted: str) -> str:
    """The name under which Python knows a class that packages also export elsewhere."""
    dotted = _SAME.get(dotted, dotted)
    module, _, name = dotted.rpartition(".")
    home = _HOMES.get(module)
    if home is not None:
        dotted = f"{home}.{name}"
    return _SAME.get(dotted, dotted)
