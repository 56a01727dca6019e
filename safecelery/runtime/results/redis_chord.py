"""Chords on Redis: every part sealed and bound to its chord, and as many of them as was sealed (E12.8).

Celery's scripts count the parts and decide who completes the chord; that is only when to look. What the
chord's body gets is what the seals vouch for: a forged part is thrown out and does not count, and a chord whose
size nobody vouches for fails.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from celery._state import get_current_task
from celery.canvas import maybe_signature
from celery.exceptions import ChordError
from celery.result import GroupResult, allow_join_result
from celery.utils.functional import _regen
from kombu.utils.functional import LRUCache

from safecelery.errors import Reason, Rejected, ResultRefused
from safecelery.firewall.checks.canvas import BUILTIN_CANVAS
from safecelery.keys.trust import TrustedKey
from safecelery.message.result_open import Question
from safecelery.runtime.chord_binding import Header, bound_to, chord_digest, ids_in
from safecelery.runtime.hidden import gathering, veil_is_down
from safecelery.runtime.results.chord_claim import GROWTH, SIZE, ChordClaim
from safecelery.runtime.results.chord_members import member_of
from safecelery.runtime.results.chord_parts import Part, as_part
from safecelery.runtime.results.gathered import conceals, of_another_chord, of_this_chord
from safecelery.runtime.results.key_value import SealedKeyValue
from safecelery.runtime.results.seal import Opened

__all__ = ["SealedChords"]

logger = logging.getLogger("safecelery")

#: Chords whose digest a process remembers.
_REMEMBERED = 1_000


class _NotYet(Exception):
    """Fewer parts that are believed than the chord has; what is left of the parts after the others were removed."""

    def __init__(self, left: int) -> None:
        self.left = left
        super().__init__(left)


class SealedChords(SealedKeyValue):
    """Mixin for a subclass of ``celery.backends.redis.RedisBackend``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: Chords that this process sends: group to digest. And those whose size it has verified.
        self._sent_chords: LRUCache = LRUCache(limit=_REMEMBERED)
        self._known_chords: LRUCache = LRUCache(limit=_REMEMBERED)

    def _chord_lifetime(self: Any) -> float:
        return float(max(self.chord_expires or 0, self.expires))

    # What the sender says --------------------------------------------------------------------------------------

    def set_chord_size(self: Any, group_id: str, chord_size: int) -> None:
        """As Celery's, and sealed; in one round trip."""
        sealed = self.seal.bare(
            "chord-size", lifetime_s=self._chord_lifetime(), group=group_id, size=int(chord_size),
            **member_of(self._sent_chords.get(group_id)),
        )  # fmt: skip

        def store() -> None:
            with self.client.pipeline() as pipe:
                # A chord that is applied again has the same id, and is a new one. What it grew by stays: its first
                # tasks may have run before the last one is sent, which is when its size is known (celery/canvas.py).
                pipe.delete(self.get_key_for_group(group_id, ".c"))
                expires = self.chord_expires or None
                pipe.set(self.get_key_for_group(group_id, ".s"), chord_size, ex=expires)
                pipe.set(self.get_key_for_group(group_id, SIZE), sealed, ex=expires)
                pipe.execute()

        self.ensure(store, ())

    def add_to_chord(self: Any, group_id: str, result: Any) -> None:
        """As Celery's, and sealed."""
        current = get_current_task()
        request = current.request if current is not None else None
        sealed = self.seal.bare(
            "chord-growth", lifetime_s=self._chord_lifetime(), group=group_id, task=self.task_of("", request),
            added=str(result.id), **member_of(bound_to(request)),
        )  # fmt: skip
        with self.client.pipeline() as pipe:
            pipe.incr(self.get_key_for_group(group_id, ".t"), 1)
            pipe.rpush(self.get_key_for_group(group_id, GROWTH), sealed)
            pipe.expire(self.get_key_for_group(group_id, GROWTH), int(self._chord_lifetime()))
            pipe.execute()

    def apply_chord(self: Any, header_result_args: Any, body: Any, **kwargs: Any) -> None:
        """As Celery's: a header of groups is saved, for its shape; sealed. It is known for which callback."""
        self.conceal_callback(body)
        self._sent_chords[header_result_args[0]] = chord_digest(body)
        if not isinstance(header_result_args[1], _regen):
            header = self.app.GroupResult(*header_result_args)
            if any(isinstance(inner, GroupResult) for inner in header.results):
                self._set_chord_key(self.get_key_for_group(header.id), self.sealed_group(header.id, header))

    # What a part does ------------------------------------------------------------------------------------------

    def on_chord_part_return(self: Any, request: Any, state: str, result: Any, **kwargs: Any) -> Any:
        """A task of a chord's header has ended: keep its part, and complete the chord if it was the last."""
        task_id, group_id, index = request.id, request.group, request.group_index
        chord = bound_to(request)  # None for no callback, whatever it is
        if not group_id or not task_id or chord is None or not self._is_of(group_id, chord):
            return None
        part = self.sealed_part(request, state, result)
        claim = ChordClaim(self, group_id, request.chord, chord)
        count, growth, size, claimed = self._chord_part_return_script(
            keys=[claim.parts, *claim.keys[1:4], self.get_key_for_group(group_id), claim.keys[4]],
            args=[task_id, part, 1 if self._chord_zset else 0, "+inf" if index is None else index,
                  self.chord_expires or 0, self._chord_result_expires, claim.seconds, claim.token],
            client=self.client,
        )  # fmt: skip
        if count == -1 or not size or count < int(size) + int(growth or 0):
            return None
        if not claimed and not claim.take():
            return None
        with gathering(Header(claim.digest)):
            return self._complete(claim)

    def _is_of(self: Any, group_id: str, chord: str) -> bool:
        """Not where a task says it is in the header of somebody else's chord: it would set off that chord, for a
        callback of its own. Before the size of a chord is known, nothing sets it off.
        """
        if self._known_chords.get(group_id) == chord:
            return True
        sealed = self.client.get(self.get_key_for_group(group_id, SIZE))
        if sealed is None:
            return True
        try:
            # Whose word it is depends on the callback, and is asked when the chord is complete.
            self._opened_size(group_id, chord, sealed, instead=lambda _: True)
        except Rejected as refusal:  # of one that is not believed at all, the chord fails when it is complete
            return refusal.reason is not Reason.RESULT_OF_ANOTHER_CHORD
        self._known_chords[group_id] = chord
        return True

    def _complete(self: Any, claim: ChordClaim) -> Any:
        """Hand the parts to the body, or fail the chord and call its errbacks."""
        callback = maybe_signature(claim.chord, app=self.app)
        try:
            while True:
                try:
                    values = self._values(claim, callback)
                    break
                except _NotYet as missing:
                    claim.give_back()
                    # Another part may have come while nobody else could complete the chord.
                    if claim.count() <= missing.left or not claim.take():
                        return None
            return self._publish(claim, callback, values)
        except Exception as error:  # whatever it is, nobody else will tell the caller
            told = error if isinstance(error, ChordError) else ChordError(f"Join error: {error!r}")
            if veil_is_down():  # the last part may have failed: then that exception is the context of this one
                told = ChordError(*told.args)
            logger.exception("chord %r failed", claim.group)
            try:
                return self.chord_error_from_stack(callback, told)
            finally:
                # A late copy of a header task does not fail the chord again.
                self.client.delete(claim.keys[2])

    def _publish(self: Any, claim: ChordClaim, callback: Any, values: list[Any]) -> Any:
        if not claim.extend(self._chord_publish_claim_expires(claim.seconds, callback)):
            logger.warning("chord %r: its body is not sent, another worker took over", claim.group)
            return None
        try:
            self.app.amqp._retry_publish(callback.delay, values)
        except Exception as error:
            logger.exception("chord %r: its body was not sent", claim.group)
            return self.chord_error_from_stack(callback, ChordError(f"Callback error: {error!r}"))
        finally:
            claim.done()

    # What is believed ------------------------------------------------------------------------------------------

    def _values(self: Any, claim: ChordClaim, callback: Any) -> list[Any]:
        """The results of the header, in its order.

        Raises:
            ChordError: a task of the header failed, or nobody who may vouches for the chord.
            _NotYet: some parts are missing.
        """
        stored, size, growth, saved = claim.read()
        may_send = _sends(callback)
        if saved is not None:
            question = Question("group", claim.group, instead=may_send)
            try:
                header = self.opened_group(claim.group, saved, question)["result"]
            except ResultRefused as refusal:
                raise ChordError(f"the header of the chord is not believed: {refusal}") from refusal
            header.on_ready()
            join = header.join_native if header.supports_native_join else header.join
            ids = ids_in(header.as_tuple())
            with allow_join_result(), gathering(Header(claim.digest, ids)):
                return list(join(timeout=self.app.conf.result_chord_join_timeout, propagate=True))
        total = self._total(claim, size, growth, may_send)
        parts, forged = self._parts(claim, stored)
        if forged:
            claim.throw_out(forged)
        if len(parts) < total:
            raise _NotYet(len(parts))
        if len(parts) > total:
            raise ChordError(f"{len(parts)} parts of a chord that has {total}")
        return [part.value_or_error(self) for part in parts]

    def _total(self: Any, claim: ChordClaim, size: Any, growth: list[Any], may_send: Any) -> int:
        question = Question("chord-size", claim.group, instead=may_send)
        if size is None and self.seal.reports:
            self.seal.tell(Rejected(Reason.ENVELOPE_MISSING, "the chord's size is not signed"), question, "stored",
                           "report")  # fmt: skip
            return claim.counted()
        try:
            if size is None:
                self.seal.tell(refusal := Rejected(Reason.ENVELOPE_MISSING, "the chord's size is not signed"),
                               question, "stored")  # fmt: skip
                raise refusal
            total = int(self._opened_size(claim.group, claim.digest, size, instead=may_send).members["size"])
        except Rejected as refusal:
            raise ChordError(f"the size of the chord is not believed: {refusal}") from refusal
        added = set()
        for record in growth:
            try:
                opened = self.seal.open((b"", _text(record)), Question("chord-growth", claim.group))
            except Rejected:
                continue  # counted and logged; it adds nothing
            if of_this_chord(opened, claim.digest):
                added.add(opened.members["added"])
        return total + len(added)

    def _opened_size(
        self: Any, group_id: str, chord: str, sealed: Any, *, instead: Callable[[TrustedKey], bool]
    ) -> Opened:
        """The verified size of the chord with that callback.

        Raises:
            Rejected: it is not believed, or another chord's; counted and logged.
        """
        question = Question("chord-size", group_id, instead=instead)
        opened: Opened = self.seal.open((b"", _text(sealed)), question)
        if not of_this_chord(opened, chord):
            self.seal.tell(refusal := of_another_chord(), question, "stored")
            raise refusal
        return opened

    def _parts(self: Any, claim: ChordClaim, stored: list[Any]) -> tuple[list[Part], list[Any]]:
        """The parts of this chord that are believed, each once, in order; and what is not."""
        question = Question("chord-part", claim.group)
        found: dict[tuple[str, Any], Part] = {}
        forged = []
        for raw in stored:
            try:
                part = as_part(self.seal.open(raw, question))
            except Rejected:
                forged.append(raw)
                continue
            if part.key in found or not of_this_chord(part.opened, claim.digest):
                forged.append(raw)
            else:
                found[part.key] = part
                conceals(self.seal, part.opened)
        parts = list(found.values())
        if all(part.signed for part in parts):
            parts.sort(key=lambda part: (part.index is None, part.index or 0))
        return parts, forged


def _sends(callback: Any) -> Any:
    """Who may send a chord may say how large it is: the right to send its body."""
    task = str(callback.task)

    def may(key: TrustedKey) -> bool:
        return bool(key.send) if task in BUILTIN_CANVAS else key.may_send_task(task)

    return may


def _text(value: Any) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)
