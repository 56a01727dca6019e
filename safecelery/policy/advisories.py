"""Versions with known holes, of packages that carry, run or show tasks. One table, ordered by package.

Ranges are those of the Python Packaging Advisory Database (github.com/pypa/advisory-database) and the GitHub Advisory
Database; an entry that neither of them confirms is not here. Neither had one for kombu, billiard, vine, amqp or
django-celery-beat when this table was last compared; a scanner that asks them anew each day knows more.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from safecelery.deferred import dataclass

__all__ = ["ADVISORIES", "EXECUTING", "RETIRED", "Advisory", "Retired"]

Version = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Advisory:
    """One hole. ``affected`` are ranges: from the first version (included) up to the fixed one (excluded)."""

    package: str
    id: str
    affected: tuple[tuple[Version, Version], ...]
    what: str


@dataclass(frozen=True, slots=True)
class Retired:
    """A package that nobody mends any more, and what to use instead."""

    package: str
    why: str
    instead: str


_ALL = (
    Advisory(
        "celery",
        "CVE-2021-23727",
        (((0,), (5, 2, 2)),),
        "whoever can write to the result backend runs commands where results are read",
    ),
    Advisory(
        "celery",
        "CVE-2011-4356",
        (((2, 1), (2, 2, 8)), ((2, 3), (2, 3, 4)), ((2, 4), (2, 4, 4))),
        "--uid and --gid drop privileges that tasks can take back",
    ),
    Advisory(
        "cryptography",
        "CVE-2023-23931",
        (((1, 8), (39, 0, 1)),),
        "update_into writes into objects that cannot change, bytes among them",
    ),
    Advisory(
        "cryptography",
        "CVE-2023-49083",
        (((3, 1), (41, 0, 6)),),
        "loading PKCS7 certificates from outside can end the process",
    ),
    Advisory(
        "cryptography",
        "CVE-2024-26130",
        (((38,), (42, 0, 4)),),
        "writing a PKCS12 file with an hmac_hash and a certificate that does not match the key ends the process",
    ),
    Advisory(
        "django-celery-results",
        "CVE-2020-17495",
        (((0,), (2, 4)),),
        "arguments of tasks are kept in the database in plain text",
    ),
    Advisory(
        "flower",
        "CVE-2022-30034",
        (((0,), (1, 2)),),
        "the login can be passed by, and any web page can call the API: run tasks, stop workers",
    ),
    Advisory(
        "pyyaml",
        "CVE-2017-18342",
        (((0,), (5, 1)),),
        "yaml.load runs what a message says",
    ),
    Advisory(
        "pyyaml",
        "CVE-2020-1747",
        (((5, 1), (5, 3, 1)),),
        "the full loader runs what a message says",
    ),
    Advisory(
        "pyyaml",
        "CVE-2020-14343",
        (((0,), (5, 4)),),
        "the full loader runs what a message says",
    ),
    Advisory(
        "redis",
        "CVE-2023-28858",
        (((4, 2), (4, 3, 6)), ((4, 4), (4, 4, 3)), ((4, 5), (4, 5, 3))),
        "after a cancelled asynchronous pipeline, answers reach the wrong caller",
    ),
    Advisory(
        "redis",
        "CVE-2023-28859",
        (((4, 2), (4, 4, 4)), ((4, 5), (4, 5, 4))),
        "after a cancelled asynchronous command, answers reach the wrong caller",
    ),
)

ADVISORIES: Final[Mapping[str, tuple[Advisory, ...]]] = MappingProxyType(
    {name: tuple(entry for entry in _ALL if entry.package == name) for name in sorted({e.package for e in _ALL})}
)
"""By normalised package name."""

_RETIRED = (
    Retired("django-celery", "it belongs to Celery 3 and does not work with later ones", "Celery itself"),
    Retired("django-kombu", "kombu took it in, and dropped it with version 4", "a broker that Celery supports"),
    Retired("flask-celery-helper", "its last release is for Celery 3", "a Celery app of your own"),
    Retired("librabbitmq", "its maintainers advise against it; it does not build on Python 3.11", "amqp, the default"),
    Retired("pickle5", "it is pickle for Python 3.7 and older, which nobody mends any more", "JSON"),
)

RETIRED: Final[Mapping[str, Retired]] = MappingProxyType({entry.package: entry for entry in _RETIRED})
"""By normalised package name."""

EXECUTING: Final[Mapping[str, str]] = MappingProxyType(
    {
        "celery-pydantic": "it imports the class whose name stands in the message",
        "celery-typed": "it imports the class whose name stands in the message",
    }
)
"""Packages that turn message data into code, and how."""
