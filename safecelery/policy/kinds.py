"""The kinds of places in code that the rules of family 7 ask for: one visible table.

A detector of the linter (safecelery/lint/code/) reports a place with one of these names; the rule for it says why it
matters. A kind without a rule, or a rule without a detector, fails a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["KINDS"]

KINDS: Final[Mapping[str, str]] = MappingProxyType({})
"""Kind -> what is met there, as one phrase."""
