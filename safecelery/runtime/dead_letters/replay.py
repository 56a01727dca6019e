"""Sending a dead letter again: under the operator's key, within that key's grants, after asking the firewall.

Nothing in the record is trusted. Task, arguments, options and destination come from the original, which has to be
validly signed by itself, and then becomes a new message of the operator's.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from celery import Celery
from kombu.messaging import Producer

from safecelery.errors import DeadLetterError, Rejected, SafeCeleryError
from safecelery.firewall import admit, admit_unread
from safecelery.firewall.checks.audience import reaches
from safecelery.firewall.checks.schedule import moment
from safecelery.keys.private import PrivateKey
from safecelery.message.claims import Audience, Claims
from safecelery.message.dead_letter import DeadLetter
from safecelery.message.encrypted import ENCRYPTED, is_encrypted
from safecelery.message.seal import HEADER, Draft, seal
from safecelery.message.signed_once import SignedOnce, signed_once
from safecelery.message.stages import RawMessage
from safecelery.message.unseal import CONTENT, unseal
from safecelery.runtime.admission import context_of
from safecelery.runtime.bindings import bindings_of
from safecelery.runtime.dead_letters.book import ReplayBook
from safecelery.runtime.dead_letters.stream import Entry
from safecelery.runtime.guard import guard_of

__all__ = ["Allowed", "Plan", "Replayer"]

#: Why a worker refused what had run before (see the ledger): to send it again is to run it again.
_RAN_BEFORE = "replayed"
#: All that is taken over from headers that nobody signed.
_UNSIGNED_HEADERS = ("task", "id", "root_id", "lang")


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What the operator takes upon himself."""

    unsigned: bool = False
    """Originals that were never validly signed, and letters that no trusted key sealed."""
    ran_before: bool = False
    """Messages that were refused because they had run."""
    expired: bool = False
    """Calls whose own ``expires`` has passed."""
    to: str | None = None
    """The queue to send to; ``None`` is the one that the original was signed for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would become of one letter."""

    entry: Entry
    why_not: str = ""
    """Why it is not sent; empty where it would be."""
    task: str = ""
    queue: str = ""
    signed_by: str | None = None
    """The key that signed the original; ``None``: nobody, and the operator vouches for it."""
    jti: str = ""
    headers: Mapping[str, Any] | None = None
    properties: Mapping[str, Any] | None = None
    body: bytes = b""
    content: tuple[str, str] = CONTENT


class Replayer:
    """Plans and sends with one key.

    Args:
        operator: the key to sign with; ``None`` is the app's own.

    Raises:
        DeadLetterError: there is no key, or the trust store does not know it: no worker would believe it.
    """

    def __init__(self, app: Celery, operator: PrivateKey | None, allowed: Allowed, book: ReplayBook) -> None:
        self._app, self._guard = app, guard_of(app)
        key = operator or self._guard.ring.active
        if key is None:
            raise DeadLetterError("no key to sign with: name the operator's with --key, or set SAFECELERY_SIGNING__KEY")
        if self._guard.ring.trust.lookup(key.kid) is None:
            raise DeadLetterError(f"the trust store has no key {key.kid!r}, so no worker would run what it sends")
        self._ring = self._guard.ring.signed_by(key)
        self.kid = key.kid
        self._allowed, self._book = allowed, book

    def plan(self, entry: Entry) -> Plan:
        """What :meth:`send` would do, by this process' trust store and policy. Sends nothing."""
        letter = entry.letter
        if letter is None:
            return Plan(entry=entry, why_not=f"not a dead letter: {entry.why_not}")
        signed, doubt = self._origin(entry, letter)
        if doubt and not self._allowed.unsigned:
            return Plan(entry=entry, why_not=f"{doubt}; --i-vouch-for-unsigned makes it your own word")
        if letter.reason == _RAN_BEFORE and not self._allowed.ran_before:
            return Plan(entry=entry, why_not="it had run before it was refused; --run-again runs it once more")
        try:
            return self._resealed(entry, letter, signed)
        except Rejected as refusal:
            return Plan(entry=entry, why_not=f"workers would refuse it: {refusal}")
        except SafeCeleryError as error:
            return Plan(entry=entry, why_not=str(error))
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            return Plan(entry=entry, why_not=f"no message can be made of it ({type(error).__name__})")

    def _origin(self, entry: Entry, letter: DeadLetter) -> tuple[SignedOnce | None, str]:
        """Whose message it was, and what is doubtful about letter and message."""
        try:
            signed = signed_once(letter.original.as_raw(letter.queue), self._ring)
        except Rejected as refusal:
            return None, f"the original is not validly signed ({refusal.reason.value})"
        if entry.seal.key is None:
            # A genuine message of long ago in a letter that somebody made up would run a second time.
            return signed, f"no trusted worker vouches for the letter ({entry.seal.why_not})"
        return signed, ""

    def _resealed(self, entry: Entry, letter: DeadLetter, signed: SignedOnce | None) -> Plan:
        guard, limits, now = self._guard, self._guard.policy.limits, time.time()
        guard.enforce_unchanged()
        headers = self._headers(letter, None if signed is None else signed.claims, now)
        props = {} if signed is None else dict(signed.claims.props)
        compression = None if signed is None else signed.claims.cmp
        # An encrypted body is bound to task and id, not to the signer: it is sent again by somebody who cannot read it.
        sealed = signed is not None and is_encrypted(signed.claims)
        ct, ce = ENCRYPTED if sealed else CONTENT
        queue = self._allowed.to or self._destination(None if signed is None else signed.claims.aud)
        body, jti = letter.original.body, _jti(letter, self.kid)
        draft = Draft(
            typ="task", aud=Audience(queue=queue), ct=ct, ce=ce, cmp=compression, hdr=headers,
            props=props, body=body, lifetime_s=guard.lifetime(headers, now), jti=jti,
        )  # fmt: skip
        outer = {**headers, HEADER: seal(draft, self._ring, now=now)}
        if compression is not None:
            outer["compression"] = compression
        # What a worker would say, asked before it has to.
        raw = RawMessage(body, outer, props, ct, ce, queue)
        verified = unseal(
            raw, self._ring, now=now, max_bytes=limits.max_message_bytes, max_skew_s=limits.max_clock_skew_s
        )
        context = context_of(self._app, guard, now, self._app.tasks, reports=False)
        if sealed:
            admit_unread(verified, context)
        else:
            admit(verified, context)
        return Plan(
            entry=entry, task=headers["task"], queue=queue, signed_by=None if signed is None else signed.kid,
            jti=jti, headers=outer, properties=props, body=body, content=(ct, ce),
        )  # fmt: skip

    def _headers(self, letter: DeadLetter, claims: Claims | None, now: float) -> dict[str, Any]:
        if claims is None:
            given = letter.original.headers
            return {name: given[name] for name in _UNSIGNED_HEADERS if name in given}
        headers = dict(claims.hdr)
        expires = None if headers.get("expires") is None else moment(headers["expires"], "expires")
        if expires is not None and expires.timestamp() <= now:
            if not self._allowed.expired:
                raise DeadLetterError(
                    f"its sender wanted it not to run after {expires:%Y-%m-%d %H:%M} UTC; "
                    "--run-expired runs it all the same"
                )
            headers["expires"] = None
        return headers

    def _destination(self, aud: Audience | None) -> str:
        """The queue that the original was signed for; never what the record or an unsigned header says."""
        if aud is None:
            raise DeadLetterError("nobody signed where it is to go; name the queue with --to")
        if aud.queue is not None:
            return aud.queue
        names: list[str] = [queue.name for queue in self._app.amqp.queues.values()]
        fitting = [name for name in names if any(reaches(b, aud) for b in bindings_of(self._app, name))]
        if len(fitting) != 1:
            raise DeadLetterError(
                f"it was meant for {aud}, which is {len(fitting)} of the app's queues; name one, --to"
            )
        return fitting[0]

    def send(self, plan: Plan, connection: Any) -> None:
        """Write it down, publish, wait for the broker's word, write that down. The letter is still there then.

        If the process dies in between, the letter is sent a second time with the same message id: a worker's ledger
        lets one of both run.

        Raises:
            DeadLetterError: the book cannot be written. Whatever the broker raises. Nothing was removed.
        """
        said = {
            "letter": plan.entry.id, "task": plan.task, "queue": plan.queue, "jti": plan.jti, "by": self.kid,
            "signed_by": plan.signed_by, "sealed_by": plan.entry.seal.key,
        }  # fmt: skip
        self._book.write("replaying", **said)
        Producer(connection, auto_declare=False).publish(
            plan.body,
            exchange="",
            routing_key=plan.queue,
            content_type=plan.content[0],
            content_encoding=plan.content[1],
            headers=dict(plan.headers or {}),
            delivery_mode=2,
            mandatory=True,
            **(plan.properties or {}),
        )
        self._book.write("replayed", letter=plan.entry.id, jti=plan.jti, by=self.kid)


def _jti(letter: DeadLetter, kid: str) -> str:
    """Of this letter and this operator: whoever is interrupted and starts again sends the same message."""
    original = letter.original
    parts = (b"safecelery/replay/v1", letter.id.encode(), kid.encode(), original.body, _envelope(original.headers))
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()[:32]


def _envelope(headers: Mapping[str, Any]) -> bytes:
    return str(headers.get(HEADER)).encode("utf-8", "surrogatepass")
