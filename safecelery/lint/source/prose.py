"""Whether bytes use the name Celery, or only speak of it: in a comment, a docstring, a message.

A third of the modules that mention Celery only talk about it, and reading them closely would take a quarter of a run.
In Python a name stands beside no other word but a keyword: ``the celery worker`` is no code, ``import celery`` is.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from typing import Final

from safecelery.lint.source.docstrings import Docstrings

__all__ = ["is_called", "is_in_code", "is_named_in_code"]

_WORD: Final = b"elery"
_KEYWORDS: Final = frozenset(word.encode() for word in (*keyword.kwlist, *keyword.softkwlist, "print", "exec"))
_LEFT: Final = re.compile(rb"(?<![\w.])([A-Za-z]+)[ \t]+\Z")
_RIGHT: Final = re.compile(rb"(?:'s)?[ \t]+([A-Za-z]+)(?![\w.(\[=\"'])")
_END: Final = re.compile(rb"(?:'s|[.,;:)])?(?:\s|\Z)")
"""What may follow a word of a sentence: nothing that makes a longer name of it, calls it or assigns to it."""

_RECORD: Final = re.compile(rb"elery(?:_\w+)?_ids?(?!\w)")
"""``celery_task_id``: where somebody writes down which task it was."""

_BEFORE_NAME: Final = frozenset({b".", b"'", b'"'})
_AFTER_NAME: Final = frozenset({b"(", b"'", b'"'})
_NOWHERE: Final = Docstrings(b"")


def is_named_in_code(data: bytes, docstrings: Docstrings = _NOWHERE) -> bool:
    """False only if every mention of Celery stands in a comment or docstring, or beside a word that no name can stand
    beside.

    A word in quotes of its own (``"celery"``, ``'proj.celery'``) counts as code, and so does ``safecelery``.
    """
    return any(
        not (_is_spoken(data, at - 1, at + len(_WORD)) or (docstrings.hold(at) and data[at - 5 : at - 1] != b"safe"))
        for at in _places(data, _WORD)
    )


def is_in_code(data: bytes, hint: bytes, docstrings: Docstrings) -> bool:
    """Whether a hint occurs outside of comments and docstrings."""
    return any(not (_ends_in_comment(_line_before(data, at)) or docstrings.hold(at)) for at in _places(data, hint))


def is_called(data: bytes, method: bytes) -> bool:
    """Whether a method's name is more than a variable somewhere: an attribute, called, imported or in quotes."""
    for at in _places(data, method):
        before, end = _line_before(data, at), at + len(method)
        if before[-1:] in _BEFORE_NAME or data[end : end + 1] in _AFTER_NAME or b"import" in before:
            return True
        if not before.strip() and not data[end : data.find(b"\n", end) + 1 or None].strip(b", \t\r\n"):
            return True  # on a line of its own in the brackets of an import
    return False


def _places(data: bytes, word: bytes) -> Iterator[int]:
    at = data.find(word)
    while at >= 0:
        yield at
        at = data.find(word, at + len(word))


def _line_before(data: bytes, at: int) -> bytes:
    return data[data.rfind(b"\n", 0, at) + 1 : at]


def _ends_in_comment(before: bytes) -> bool:
    """Certainly: a ``#`` behind a quote may be in a text."""
    code, mark, _ = before.partition(b"#")
    return bool(mark) and b'"' not in code and b"'" not in code


def _is_spoken(data: bytes, first: int, end: int) -> bool:
    if _RECORD.match(data, first + 1):
        return True
    before = _line_before(data, max(first, 0))
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
