"""Live values without their secrets: an audit prints what it read, and cannot tell where a secret came from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["MASK", "without_secrets"]

MASK: Final = "***"
_NAMED: Final = re.compile(r"passw|secret|access_key|auth_kwargs|connection_string|credential|token", re.IGNORECASE)
_USERINFO: Final = re.compile(r"(?<=://)([^/@\s:]*):[^/@\s]*@|(?<=://)([^/@\s:]*):[^@\s]*@")
_AZURE: Final = re.compile(r"\b(azure\w+)://.*", re.DOTALL)
_QUERY: Final = re.compile(r"(?<=[?&])([^=&#\s]*(?:passw|secret|key|token|sig)[^=&#\s]*)=[^&#\s]*", re.IGNORECASE)


def without_secrets(name: str, value: Any, *, secret: bool = False) -> Any:
    """The value of the setting or key ``name``, every password and key in it replaced by asterisks."""
    secret = secret or _NAMED.search(name) is not None
    if isinstance(value, str):
        return MASK if secret and value else _in_text(value)
    if isinstance(value, Mapping):
        return {key: without_secrets(str(key), item, secret=secret) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        inside = [without_secrets("", item, secret=secret) for item in value]
        return inside if isinstance(value, list) else tuple(inside) if isinstance(value, tuple) else frozenset(inside)
    return value


def _in_text(text: str) -> str:
    text = _AZURE.sub(rf"\1://{MASK}", text)
    text = _USERINFO.sub(lambda match: f"{match[1] or match[2] or ''}:{MASK}@", text)
    return _QUERY.sub(rf"\1={MASK}", text)
