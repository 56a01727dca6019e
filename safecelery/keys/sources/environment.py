"""A private key in an environment variable: the document itself, or its base64 for places that keep one line only."""

from __future__ import annotations

import base64
import binascii
import os

from safecelery.errors import KeyringError

__all__ = ["read_environment"]


def read_environment(name: str) -> str:
    """The variable's document.

    Raises:
        KeyringError: the variable is missing or empty, or neither TOML nor base64.
    """
    text = os.environ.get(name, "").strip()
    if not text:
        raise KeyringError(f"private key env:{name}: the variable is not set, or empty")
    if "=" in text.rstrip("="):  # base64 has it at its end only; the document has one in every line
        return text
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        raise KeyringError(f"private key env:{name}: neither the document nor its base64") from None
