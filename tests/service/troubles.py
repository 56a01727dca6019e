"""Exceptions of an application: what a stored result may name, and what making them does."""

from __future__ import annotations

from service.factory import witness

__all__ = ["Purge", "Refund", "Shutdown"]


class Refund(Exception):
    """Harmless to make, but whoever catches it pays somebody back."""


class Purge(Exception):
    """Making it does something."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        witness("PWNED", canary=what)


class Shutdown(BaseException):
    """No ``except Exception`` stops it."""
