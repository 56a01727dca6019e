"""The dead-letter queue, opened for looking: entries that say what is known of them, and what nobody vouches for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from celery import Celery
from kombu.exceptions import OperationalError

from safecelery.brokers import broker_for, mask
from safecelery.brokers.browse import BROWSERS, Browser, Found
from safecelery.errors import DeadLetterError
from safecelery.keys.ring import Keyring
from safecelery.message.codec import Malformed
from safecelery.message.dead_letter import DeadLetter, read_letter
from safecelery.message.letter_seal import LetterSeal, check_letter
from safecelery.runtime.guard import guard_of

__all__ = ["NOT_A_LETTER", "Entry", "Letters", "entry_of", "open_letters"]

#: What stands in the place of a reason where something else lies in the queue.
NOT_A_LETTER = "not-a-dead-letter"


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of the dead-letter queue."""

    id: str
    """The letter's id; of anything else ``x`` and a digest of its bytes."""
    letter: DeadLetter | None
    why_not: str
    """Why it is no dead letter; empty where it is one."""
    seal: LetterSeal
    found: Found

    @property
    def reason(self) -> str:
        """Of the letter, or :data:`NOT_A_LETTER`."""
        return NOT_A_LETTER if self.letter is None else self.letter.reason


def entry_of(found: Found, queue: str, ring: Keyring) -> Entry:
    """Read an item. Never fails: whoever reaches the broker may have put anything there."""
    seal = check_letter(found.body, found.headers, queue, ring)
    try:
        letter = read_letter(found.body)
    except Malformed as error:
        return Entry("x" + hashlib.sha256(found.body).hexdigest()[:31], None, str(error), seal, found)
    return Entry(letter.id, letter, "", seal, found)


class Letters:
    """The open queue.

    Args:
        progress: told how many were read, and of about how many.
    """

    def __init__(self, browser: Browser, queue: str, ring: Keyring, progress: Callable[[int, int], None]) -> None:
        self.browser = browser
        self.queue = queue
        self._ring = ring
        self._progress = progress

    def walk(self) -> Iterator[Entry]:
        """Every entry, one at a time. To be called once."""
        about = self.browser.count()
        for number, found in enumerate(self.browser.walk(), start=1):
            yield entry_of(found, self.queue, self._ring)
            self._progress(number, max(about, number))


@contextmanager
def open_letters(app: Celery, progress: Callable[[int, int], None] = lambda done, total: None) -> Iterator[Letters]:
    """The app's dead-letter queue. Afterwards everything that was not removed is in it.

    Raises:
        KeyringError: the app was not made by ``create_app``.
        DeadLetterError: the broker cannot be reached, refuses, or is one whose queues cannot be looked at.
    """
    guard = guard_of(app)
    queue = guard.settings.dead_letter_queue
    with app.connection_for_write(heartbeat=0) as connection:
        url = connection.as_uri()
        make = BROWSERS.get(broker_for(url).name)
        if make is None:
            raise DeadLetterError(f"{mask(url)}: what is in this broker dies with its process; there is nothing to see")
        try:
            browser = make(connection.channel(), queue)
            try:
                yield Letters(browser, queue, guard.ring, progress)
            finally:
                browser.close()
        except (OperationalError, *connection.connection_errors, *connection.channel_errors) as error:
            raise DeadLetterError(
                f"dead letters in {queue!r} at {mask(url)}: the broker cannot be used "
                f"({type(error).__name__}: {error}); nothing is lost"
            ) from None
