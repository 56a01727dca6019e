"""Whether bytes use the name Celery, or only speak of it: in a comment, a docstring, a message.

A third of the modules that mention Celery only talk about it, and reading them closely would take a quarter of a run.
In Python a name stands beside no other word but a keyword: ``the celery worker`` is no code, ``import celery`` is.
"""

from __future__ import annotations

import keyword
import re
from typing import Final

__all__ = ["is_named_in_code"]

_WORD: Final = b"elery"
_KEYWORDS: Final = frozenset(word.encode() for word in (*keyword.kwlist, *keyword.softkwlist, "print", "exec"))
_LEFT: Final = re.compile(rb"(?<![\w.])([A-Za-z]+)[ \t]+\Z")
_RIGHT: Final = re.compile(rb"(?:'s)?[ \t]+([A-Za-z]+)(?![\w.(\[=\"'])")
_END: Final = re.compile(rb"(?:'s|[.,;:)])?(?:\s|\Z)")
"""What may follow a word of a sentence: nothing that makes a longer name of it, calls it or assigns to it."""


def is_named_in_code(data: bytes) -> bool:
    """False only if every mention of Celery stands in a comment, or beside a word that no name can stand beside.

    A word in quotes of its own (``"celery"``, ``'proj.celery'``) counts as code, and so does ``safecelery``.
    """
    at = data.find(_WORD)
    while at >= 0:
        if not _is_spoken(data, at - 1, at + len(_WORD)):
            return True
        at = data.find(_WORD, at + len(_WORD))
    return False


def _is_spoken(data: bytes, first: int, end: int) -> bool:
    before = data[data.rfind(b"\n", 0, end) + 1 : max(first, 0)]
    if data[first:end] not in (b"celery", b"Celery") or before.endswith(b"safe"):
        return False
    if before.lstrip().startswith(b"#") or b" # " in before:
        return True
    if not _END.match(data, end) or not before[-1:].isspace():
        return False
    left = _LEFT.search(before)
    if left is not None and left[1] not in _KEYWORDS:
        return True
    right = _RIGHT.match(data, end)
    return right is not None and right[1] not in _KEYWORDS
