"""Exception classes have one name each, wherever they are imported from: that of the class itself."""

from __future__ import annotations

import importlib

import pytest

from safecelery.lint.project.exceptions import canonical_exception

MODULES = [
    "asyncio", "billiard.exceptions", "builtins", "celery.exceptions", "concurrent.futures", "csv", "django.db",
    "django.core.exceptions", "http.client", "json", "kombu.exceptions", "multiprocessing", "os",
    "pickle", "queue", "redis", "redis.exceptions", "redis.lock", "select", "smtplib", "socket", "sqlite3", "ssl",
    "subprocess", "urllib.error", "urllib.request", "xml.etree.ElementTree", "xml.sax", "zipfile",
]  # fmt: skip
ODD = {"ImproperlyConfigured", "ClickException", "AuthenticationError", "BufferTooShort", "ProcessError"}
"""Imported there by accident, or by a package for its own use."""


@pytest.mark.parametrize("module", MODULES)
def test_the_name_is_that_which_the_class_itself_has(module: str) -> None:
    found = pytest.importorskip(module) if module.startswith("django") else importlib.import_module(module)
    classes = [(name, value) for name, value in vars(found).items() if isinstance(value, type)]
    told = {
        name: (canonical_exception(f"{module}.{name}"), f"{value.__module__}.{value.__qualname__}")
        for name, value in classes
        if issubclass(value, BaseException) and not name.startswith("_") and name not in ODD
    }
    assert told
    assert {name: pair for name, pair in told.items() if pair[0] != pair[1]} == {}


def test_classes_of_packages_that_need_not_be_installed() -> None:
    assert canonical_exception("requests.RequestException") == "requests.exceptions.RequestException"
    assert canonical_exception("requests.Timeout") == "requests.exceptions.Timeout"
    assert canonical_exception("elasticsearch.exceptions.ConnectionError") == "elastic_transport.ConnectionError"
    assert canonical_exception("elasticsearch8.exceptions.ConnectionError") == "elastic_transport.ConnectionError"
    assert canonical_exception("elasticsearch8.RequestError") == "elasticsearch8.BadRequestError"
    assert canonical_exception("elasticsearch7.TransportError") == "elasticsearch7.TransportError"
    assert canonical_exception("company.errors.Lost") == "company.errors.Lost"
