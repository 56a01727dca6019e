"""Deliveries: a worker's side of the ledger, from the claim of a message until the broker has its answer.

The order is: complete in the ledger, then acknowledge. A crash in between leaves a message that the broker delivers
again and the ledger knows as completed: it is dropped. The other order would leave a message that ran, that nobody
delivers again, and that whoever copied it could still run once. What ran within one turn of the worker's loop is
completed in one round trip.

A claim is a lease. One thread per worker renews all of them together: the worker's loop stands still while it
reconnects to a broker, and its tasks run on. A worker that dies renews nothing, and after ``ledger.lease`` seconds the
message is another's. It waits that long even if a worker of the same name starts again: two workers may have one name,
and the dead one's children may still be at work.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable, Container, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, TypeAlias

from safecelery.brokers.undecoded import Undecoded
from safecelery.errors import Reason, Rejected, StoreUnavailable
from safecelery.message.claims import Claims
from safecelery.runtime.backlog import Backlog
from safecelery.runtime.guard import guard_of
from safecelery.runtime.ledger import open_ledger
from safecelery.runtime.together import Together
from safecelery.stores.interface import Admitted, Held, Poison, Store
from safecelery.telemetry.deliveries import Happened, note

__all__ = ["Deliveries", "Delivery", "deliveries_of"]

#: Leases that one round trip renews.
_BATCH = 500
#: Seconds between two sweeps of a store that does not forget by itself.
_SWEEP_S = 600.0


class Delivery:
    """One claimed message, until the worker has answered for it."""

    __slots__ = ("_deliveries", "entry", "jti", "message", "number", "settled", "task", "token", "unanswered")

    def __init__(self, by: Deliveries, message: Undecoded, claims: Claims, admitted: Admitted, task: str) -> None:
        self._deliveries = by
        self.message = message
        self.jti, self.entry = claims.jti, claims.entry
        self.token = admitted.token
        self.number = admitted.delivery
        """1 for the first time that it is delivered."""
        self.task = task
        self.settled = False
        """The ledger was told, or is about to be."""
        self.unanswered = False
        """The broker is to be told once the ledger was."""

    def settle(self, answer: Callable[[], None], *, soon: bool = False) -> None:
        """It never runs again: complete in the ledger, then ``answer`` the broker. Later, if the store is down.

        Args:
            soon: with all that ends in this turn of the loop.
        """
        self._deliveries.settle(self, answer, soon=soon)

    def give_back(self, *, counts: bool) -> None:
        """Not done, and not to be done here. If the store cannot be told, the lease ends by itself."""
        self._deliveries.release(self, counts=counts)

    def lapse(self) -> None:
        """Stop renewing. Whether a pool process has it already cannot be told."""
        self._deliveries.lapse(self)

    def accepted(self) -> None:
        """A pool process runs it."""
        self._deliveries.remember(self)


#: One that will never run again, and how to tell the broker.
_Ended: TypeAlias = tuple[Delivery, Callable[[], None]]


class Deliveries:
    """Everything this worker claimed and has not answered for.

    Args:
        lease_s: seconds that a claim holds without renewal.
        max_deliveries: how often a message may be claimed without being completed.
        max_skew_s: how far the clocks of hosts differ: the entry outlives the message by that.
        hub: the worker's event loop, if it has one.
    """

    def __init__(
        self, store: Store, backlog: Backlog, *, hostname: str, lease_s: float, max_deliveries: int, max_skew_s: float,
        hub: Any = None,
    ) -> None:  # fmt: skip
        self._store = store
        self.backlog = backlog
        self._lease_s = lease_s
        self._max_deliveries = max_deliveries
        self._max_skew_s = max_skew_s
        self._holder = f"{hostname}/{os.getpid()}/{secrets.token_hex(4)}"[:255]
        self._open: dict[str, Delivery] = {}
        self._lapsing: dict[str, Delivery] = {}
        self._ended = Together(self._settle, hub)
        self._stop = threading.Event()
        self._renewal = threading.Thread(target=self._renew, name="safecelery-leases", daemon=True)

    # Claiming ---------------------------------------------------------------------------------------------------

    def claim(self, claims: Claims, message: Undecoded) -> Delivery | None:
        """Ask the ledger for a message that passed every check.

        Returns:
            The delivery; None if there is nothing to run now: it waits, or was dropped as a duplicate.

        Raises:
            Rejected: replayed, or poison.
            StoreUnavailable: the ledger did not answer.
        """
        task = str(claims.hdr.get("task"))
        ttl_s = max(0.0, claims.exp - time.time()) + self._max_skew_s
        match self._running_here(claims.entry) or self._store.claim(
            claims.entry, self._holder, lease_s=self._lease_s, ttl_s=ttl_s, max_deliveries=self._max_deliveries
        ):
            case Admitted() as admitted:
                if admitted.delivery > 1:
                    note(Happened.TAKEN_OVER, f"delivery {admitted.delivery}", task=task, jti=claims.jti)
                mine = Delivery(self, message, claims, admitted, task)
                self.remember(mine)
                return mine
            case Held(for_s, holder):
                if not message.waited:
                    note(Happened.HELD, f"{holder} runs it; it waits", task=task, jti=claims.jti)
                self.backlog.hold(message, for_s)
                return None
            case Poison(deliveries):
                said = f"claimed {deliveries} times and never completed"
                raise Rejected(Reason.POISON, said, deliveries=deliveries)
        if not (message.waited or message.delivery_info.get("redelivered") is True):
            raise Rejected(Reason.REPLAYED, "a message with this id was completed before")
        note(Happened.DUPLICATE_DROPPED, "delivered again after it was completed", task=task, jti=claims.jti)
        message.ack()
        return None

    def _running_here(self, entry: str) -> Held | None:
        """This worker has it. After it stood still for longer than a lease, the ledger does not know that any more."""
        mine = self._open.get(entry)
        return Held(self._lease_s, self._holder) if mine is not None and not mine.settled else None

    def remember(self, delivery: Delivery) -> None:
        """Renew its lease."""
        if not delivery.settled:
            self.forget(delivery)
            self._open[delivery.entry] = delivery

    def forget(self, delivery: Delivery) -> None:
        """Renew it no more."""
        for some in (self._open, self._lapsing):
            if some.get(delivery.entry) is delivery:
                del some[delivery.entry]

    def lapse(self, delivery: Delivery) -> None:
        """Renew it no more, but give it back at the end if it was never begun."""
        self.forget(delivery)
        self._lapsing[delivery.entry] = delivery

    # Answering --------------------------------------------------------------------------------------------------

    def settle(self, delivery: Delivery, answer: Callable[[], None], *, soon: bool) -> None:
        """Complete in the ledger, then tell the broker. While the ledger does not answer, the broker is not told."""
        if delivery.settled:
            if not delivery.unanswered:
                answer()
            return
        delivery.settled = delivery.unanswered = True
        if soon:
            self._ended.add((delivery, answer))
        else:
            self._settle([(delivery, answer)])

    def settle_at_once(self) -> None:
        """The worker's loop ends."""
        self._ended.end()

    def _settle(self, ended: Sequence[_Ended]) -> None:
        self.backlog.run(partial(self._complete, ended), of_connection=False)

    def _complete(self, ended: Sequence[_Ended]) -> None:
        completed = self._store.complete([(delivery.entry, delivery.token) for delivery, _ in ended])
        with ExitStack() as answers:  # each is given, whatever becomes of the others
            for (delivery, answer), known in reversed(list(zip(ended, completed, strict=True))):
                self.forget(delivery)
                delivery.unanswered = False
                if not known:
                    note(Happened.LEASE_LOST, "it ran, and another worker claimed it", task=delivery.task,
                         jti=delivery.jti)  # fmt: skip
                answers.callback(answer)

    def release(self, delivery: Delivery, *, counts: bool) -> None:
        """Give it back to whoever claims it next."""
        if delivery.settled:
            return
        delivery.settled = True
        self.forget(delivery)
        try:
            self._store.release(delivery.entry, delivery.token, counts=counts)
        except StoreUnavailable as error:
            note(Happened.STORE_UNAVAILABLE, f"{error}; the lease ends by itself", jti=delivery.jti)

    # Leases -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to renew, in a thread. Twice is as good as once."""
        if not self._renewal.is_alive():
            self._renewal.start()

    def _renew(self) -> None:
        swept = time.monotonic()
        while not self._stop.wait(self._lease_s / 3):
            try:
                self.renew_all()
                if time.monotonic() > swept + _SWEEP_S:
                    swept = time.monotonic()
                    self._store.sweep()
            except StoreUnavailable as error:
                note(Happened.STORE_UNAVAILABLE, f"{error}; leases were not renewed")
            except Exception as error:  # noqa: BLE001  # a thread that ends would let every lease end
                note(Happened.STORE_UNAVAILABLE, f"renewing leases failed with {type(error).__name__}")

    def renew_all(self) -> None:
        """One round trip for every 500 leases.

        Raises:
            StoreUnavailable: some were not renewed.
        """
        every = list(self._open.values())
        for start in range(0, len(every), _BATCH):
            batch = every[start : start + _BATCH]
            answers = self._store.renew([(one.entry, one.token) for one in batch], self._lease_s)
            for delivery, renewed in zip(batch, answers, strict=True):
                if not renewed and not delivery.settled:
                    self.forget(delivery)
                    note(Happened.LEASE_LOST, "it is still running here", task=delivery.task, jti=delivery.jti)

    # Ends -------------------------------------------------------------------------------------------------------

    def connection_lost(self, running: Container[int], handed_over: Container[int]) -> None:
        """The broker's connection ends, and it will deliver again what was not acknowledged.

        Args:
            running: ``id()`` of the messages that a pool process works on: their leases are kept.
            handed_over: of those that were given to the pool, which may or may not have begun.
        """
        self._ended.flush()
        self.backlog.connection_lost()
        for delivery in list(self._open.values()):
            if id(delivery.message) in running:
                continue
            if id(delivery.message) in handed_over:
                delivery.lapse()
            else:
                delivery.give_back(counts=False)

    def close(self, running: Container[int]) -> None:
        """The worker ends; its pool did already. What it did not complete is the next one's."""
        self._ended.end()
        self.backlog.last_attempt()
        self._stop.set()
        for delivery in [*self._open.values(), *self._lapsing.values()]:
            delivery.give_back(counts=id(delivery.message) in running)
        if self._renewal.is_alive():
            self._renewal.join(timeout=10)
        self._store.close()


def deliveries_of(consumer: Any) -> Deliveries | None:
    """What a worker's consumer keeps account with; None if the ledger is turned off.

    Raises:
        SettingsError, PolicyViolationError: as ``ledger.approved_place``.
    """
    guard = guard_of(consumer.app)
    store = open_ledger(consumer.app)
    if store is None:
        return None
    limits = guard.policy.limits
    return Deliveries(
        store,
        Backlog(consumer, lambda message: consumer.receive(message)),
        hostname=consumer.hostname,
        lease_s=guard.settings.ledger.lease,
        max_deliveries=limits.max_deliveries,
        max_skew_s=limits.max_clock_skew_s,
        hub=consumer.hub,
    )
