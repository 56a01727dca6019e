"""Django's system check framework: the live Celery app, judged by the policy.

Settings, all optional:

* ``SAFECELERY_CHECK_APP``: the app as for ``celery -A``, where it is not the one the project loads by itself.
* ``SAFECELERY_CHECK_POLICY``: a policy's name or file, instead of what pyproject.toml says.

Rules about connections and signing are checked with ``manage.py check --deploy`` only: on a developer's machine the
broker is rarely the real one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from celery import Celery, _state
from django.conf import settings
from django.core import checks

from safecelery.audit.load import finalize, load_app, no_broker
from safecelery.audit.run import audit, live_app
from safecelery.errors import SafeCeleryError, SettingsError
from safecelery.lint.config import load_config
from safecelery.lint.finding import Finding, LintResult
from safecelery.policy.document import Level
from safecelery.policy.profile import load_policy
from safecelery.policy.rule import Family
from safecelery.policy.rules import BY_CODE

__all__ = ["TAG", "check_celery", "check_celery_deployment", "register_checks"]

TAG: Final = "safecelery"
_DEPLOYMENT: Final = (Family.TRANSPORT, Family.SIGNING)
_busy = False
"""Celery's own Django support runs every check before it imports tasks, this one included."""


def register_checks() -> None:
    """Under the tag ``safecelery``: ``manage.py check --tag safecelery``."""
    checks.register(check_celery, TAG)
    checks.register(check_celery_deployment, TAG, deploy=True)


def check_celery(app_configs: Sequence[Any] | None, **_: Any) -> list[checks.CheckMessage]:
    """Tasks, calls of the schedule and settings."""
    return _check(app_configs, deployment=False)


def check_celery_deployment(app_configs: Sequence[Any] | None, **_: Any) -> list[checks.CheckMessage]:
    """Connections and signing."""
    return _check(app_configs, deployment=True)


def _check(app_configs: Sequence[Any] | None, *, deployment: bool) -> list[checks.CheckMessage]:
    if _busy or (app_configs is not None and all(config.label != TAG for config in app_configs)):
        return []  # `manage.py check shop` is not for us
    try:
        with _alone():
            result = _audit()
    except SafeCeleryError as error:
        hint = "Set SAFECELERY_CHECK_APP to what you give to 'celery -A'."
        return [] if deployment else [checks.Error(str(error), hint=hint, id="safecelery.E001")]
    messages = [_message(item) for item in result.findings if _is_deployment(item) is deployment]
    messages += [_open(item) for item in result.undecided if _is_deployment(item) is deployment]
    if not deployment:
        messages += [checks.Error(item.message, obj=item.path, id="safecelery.E002") for item in result.unread]
    return messages


def _audit() -> LintResult:
    base = getattr(settings, "BASE_DIR", None) or Path.cwd()
    policy = getattr(settings, "SAFECELERY_CHECK_POLICY", None)
    config = load_config((str(base),), {} if policy is None else {"policy": str(policy)})
    judged_by = config.judged_by(load_policy(config.policy))
    name = getattr(settings, "SAFECELERY_CHECK_APP", None)
    if name is not None:
        return audit(str(name), judged_by)
    app = _detected()
    with no_broker():
        finalize(app, str(app.main))
    return audit(str(app.main), judged_by, live_app(app, str(app.main)))


def _detected() -> Celery:
    """The app that the project made the current one, else the one in a package around the settings module."""
    current = getattr(_state._tls, "current_app", None) or _state.default_app
    if current is not None and current.main != "default":
        return current
    package = str(getattr(settings, "SETTINGS_MODULE", ""))
    while package := package.rpartition(".")[0]:
        try:
            return load_app(package)
        except SettingsError:
            continue
    raise SettingsError("no Celery app was found for the system check")


@contextmanager
def _alone() -> Iterator[None]:
    """No check inside of this check."""
    global _busy  # Django calls plain functions, so there is nowhere else to remember it
    before = os.environ.get("CELERY_SKIP_CHECKS")
    os.environ["CELERY_SKIP_CHECKS"] = "1"
    _busy = True
    try:
        yield
    finally:
        _busy = False
        if before is None:
            del os.environ["CELERY_SKIP_CHECKS"]
        else:
            os.environ["CELERY_SKIP_CHECKS"] = before


def _is_deployment(item: Finding) -> bool:
    rule = BY_CODE.get(item.rule or item.code)
    return rule is not None and rule.family in _DEPLOYMENT


def _message(item: Finding) -> checks.CheckMessage:
    kind = checks.Error if item.level is Level.ERROR else checks.Warning
    return kind(item.message, hint=item.fix, obj=_place(item), id=f"safecelery.{item.code}")


def _open(item: Finding) -> checks.CheckMessage:
    return checks.Info(item.message, hint=item.fix, obj=_place(item), id=f"safecelery.{item.code}")


def _place(item: Finding) -> str:
    return f"{item.path}:{item.line}" if item.line else item.path
