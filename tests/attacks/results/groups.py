"""What the attacker does to results, in words, and which cases are about it."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from tests.attacks.results.case import Case

__all__ = ["GROUPS", "HONEST", "group_of", "grouped"]

HONEST = "Honest results, which must be believed"
#: Title -> patterns of names. The first group with a pattern that fits has the case.
GROUPS: dict[str, tuple[str, ...]] = {
    HONEST: ("honest_*",),
    "Attacks an encrypted result": ("encrypted_*",),
    "Lies to a process that has only the id": ("stranger_*",),
    "Attacks a chord": ("chord_*",),
    "Attacks a saved group": ("group_*",),
    "Changes rows of a database": ("row_*",),
    "Has a key, and seals what it may not say": ("*_key_*",),
    "Has a key that may answer, and seals an exception": ("signed_exception_*",),
    "Sends code, bombs or very much": (
        "*_pickle_*", "*_yaml_*", "*_bomb_*", "*_squeezed_*", "*_nested_*", "*_huge_*", "*_digits_*",
    ),
    "Stores an exception that is more than one": ("stored_exception_*", "published_exception_*"),
    "Writes before the true result": ("planted_*", "stored_empty_*"),
    "Tells a caller that waits": ("published_*", "answered_*", "reply_*"),
    "Changes the seal of a result, or seals something else": (
        "seal_*", "sealed_*", "member_*", "space_*", "signed_by_worker_*",
        "signed_for_ever_*",
    ),
    "Passes one kind of message off as another": ("task_*", "command_*", "result_sent_*"),
    "Writes over a stored result": ("stored_*",),
}  # fmt: skip


def group_of(case: Case) -> str:
    """Title of the case's group.

    Raises:
        LookupError: it is in none.
    """
    for title, patterns in GROUPS.items():
        if any(fnmatchcase(case.name, pattern) for pattern in patterns):
            return title
    raise LookupError(f"case {case.name} is in no group of tests/attacks/results/groups.py")


def grouped(cases: Iterable[Case]) -> dict[str, list[Case]]:
    """All groups in the table's order, with their cases."""
    found: dict[str, list[Case]] = {title: [] for title in GROUPS}
    for case in cases:
        found[group_of(case)].append(case)
    return found
