"""Make docs/spec/vectors/*.json again: ``python -m tests.vectors.make_vectors``. The same every time."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.vectors import invalid_envelope as envelope
from tests.vectors import invalid_signature as signature
from tests.vectors.builder import Case, Family
from tests.vectors.valid import valid

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "spec" / "vectors"
ED25519, HMAC = Family("ed25519"), Family("hmac-sha256")

Groups = tuple[tuple[str, Iterable[Case]], ...]


def vectors() -> dict[str, str]:
    """Name of each file -> its text."""
    numbers = iter(range(1, 100_000))
    return {
        "ed25519.json": _file(ED25519, (
            ("valid", valid(ED25519)),
            ("keys", signature.bad_keys(ED25519)),
            ("signatures", signature.bad_signatures(ED25519)),
            ("Ed25519 alone", signature.only_ed25519(ED25519)),
        ), numbers),
        "hmac-sha256.json": _file(HMAC, (
            ("valid", valid(HMAC)),
            ("keys", signature.bad_keys(HMAC)),
            ("signatures", signature.bad_signatures(HMAC)),
            ("HMAC alone", signature.only_hmac(HMAC)),
        ), numbers),
        "envelope.json": _file(ED25519, (
            ("size and presence", envelope.bad_sizes(ED25519)),
            ("encoding", envelope.bad_encodings(ED25519)),
            ("JSON", envelope.bad_json(ED25519)),
            ("claims", envelope.bad_claims(ED25519)),
        ), numbers),
    }  # fmt: skip


def _file(family: Family, groups: Groups, numbers: Any) -> str:
    made = [{"comment": name, "tests": [case.as_json(next(numbers)) for case in cases]} for name, cases in groups]
    document = {
        "specification": "envelope-v1.md",
        "numberOfTests": sum(len(group["tests"]) for group in made),
        "keys": [key.as_json() for key in family.trusted],
        "testGroups": made,
    }
    return json.dumps(document, indent=1, ensure_ascii=True) + "\n"


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in vectors().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
