"""Values, as data, without their secrets: what a setting called ``redis_password`` holds, and passwords inside URLs."""

from __future__ import annotations

from typing import Any

from safecelery.lint.report.masking import MASK, masked

__all__ = ["masked_value"]


def masked_value(name: str, value: Any) -> Any:
    """The value of a setting or key of this name; texts inside of lists and tables are masked as well."""
    return _masked(value, secret=_is_secret(name))


def _masked(value: Any, *, secret: bool) -> Any:
    if isinstance(value, str):
        return MASK if secret and value else masked(value)
    if isinstance(value, dict):
        return {key: _masked(item, secret=secret or _is_secret(str(key))) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(item, secret=secret) for item in value]
    return value


def _is_secret(name: str) -> bool:
    from safecelery.lint.report.secret_names import SECRET

    return SECRET.search(name) is not None
