"""A result on its way: what is signed or not, and how a subject writes it down."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["Answer", "PlainResultSealer", "ResultSealer", "as_json", "honest_meta"]


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes of a result, and what vouches for them, if anything."""

    body: bytes
    envelope: str | None = None
    """safecelery's, or whatever text stands in its place."""


class ResultSealer(Protocol):
    """Seals results in the subject's manner, with any key of the stage."""

    has_envelope: bool
    """Whether there is something beside the body that an attack could change."""
    content_type: str
    """Of a reply."""

    def learn(self, answer: Answer) -> None:
        """See a true one: claims of sealed forgeries are those of a true result, changed where the case says."""
        ...

    def seal(self, body: bytes, signer: str, task_id: str, claims: Mapping[str, Any]) -> Answer:
        """Sign the body as a result of the task; by "none", or where nobody signs, it stays as it is."""
        ...

    def encrypt(self, plain: bytes, task: str, task_id: str, how: Mapping[str, Any]) -> bytes:
        """Encrypt it as a result of the task, as `tests/attacks/ciphertext.py` says, before it is signed."""
        ...

    def pack(self, answer: Answer) -> bytes:
        """As a store keeps it."""
        ...

    def unpack(self, stored: bytes) -> Answer:
        """From a store."""
        ...

    def text(self, answer: Answer) -> bytes:
        """What is signed, as it can be read."""
        ...

    def with_text(self, answer: Answer, text: bytes) -> Answer:
        """Other text under the old signature."""
        ...


class PlainResultSealer:
    """Nothing vouches for anything."""

    has_envelope = False
    content_type = "application/json"

    def learn(self, answer: Answer) -> None:
        """Nothing to learn."""

    def seal(self, body: bytes, signer: str, task_id: str, claims: Mapping[str, Any]) -> Answer:
        """The body; whoever signs nothing is as good as anybody."""
        return Answer(body)

    def encrypt(self, plain: bytes, task: str, task_id: str, how: Mapping[str, Any]) -> bytes:
        """Nobody does."""
        raise AssertionError("this subject does not encrypt")

    def pack(self, answer: Answer) -> bytes:
        """The body."""
        return answer.body

    def unpack(self, stored: bytes) -> Answer:
        """The body."""
        return Answer(stored)

    def text(self, answer: Answer) -> bytes:
        """The body."""
        return answer.body

    def with_text(self, answer: Answer, text: bytes) -> Answer:
        """Another body."""
        return Answer(text)


def honest_meta(task_id: str, task: str) -> dict[str, Any]:
    """What a worker stores (celery/backends/base.py, ``_get_result_meta``)."""
    return {
        "status": "SUCCESS", "result": None, "traceback": None, "children": [],
        "date_done": "2026-01-01T00:00:00+00:00", "task_id": task_id, "name": task,
    }  # fmt: skip


def as_json(value: Any) -> bytes:
    """As kombu writes it."""
    return json.dumps(value).encode()
