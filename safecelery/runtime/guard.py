"""What a hardened app knows: its policy, its keys, and whether its configuration still is what was approved."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

from celery import Celery

from safecelery.errors import KeyringError, SealError
from safecelery.firewall.checks.canvas import BUILTIN_CANVAS
from safecelery.firewall.control import ALIASES
from safecelery.keys.live import LiveKeyring
from safecelery.keys.ring import Keyring
from safecelery.keys.trust import TrustStore
from safecelery.message.cipher import Cipher
from safecelery.policy.facts import Facts, Place
from safecelery.policy.gate import enforce
from safecelery.policy.profile import Policy
from safecelery.runtime.conf import VersionedDict, broker_urls
from safecelery.runtime.facts import app_facts, reported, transport_facts
from safecelery.runtime.results.sent import SentTasks
from safecelery.settings import SafeCelerySettings
from safecelery.telemetry.keys import ExpiryWatch

__all__ = ["Guard", "guard_of"]

logger = logging.getLogger("safecelery")


def guard_of(app: Celery) -> Guard:
    """The guard of a hardened app.

    Raises:
        KeyringError: the app was not made by ``create_app``.
    """
    guard = getattr(app, "guard", None)
    if not isinstance(guard, Guard):
        raise KeyringError(f"{app!r} has no guard: make the app with safecelery.create_app()")
    return guard


class Guard:
    """One per app, made by ``create_app``."""

    def __init__(
        self, settings: SafeCelerySettings, policy: Policy, ring: Keyring, cipher: Cipher | None = None
    ) -> None:
        self.settings = settings
        self.policy = policy
        self.ring = ring
        self.expiry = ExpiryWatch()
        self.cipher = cipher or Cipher(ring)
        self.sent = SentTasks()
        self._app: Celery
        self._changes = VersionedDict()
        self._approved: int | None = None
        self._warned: set[tuple[str, str]] = set()
        if isinstance(ring, LiveKeyring):
            ring.approve = self._approve_trust

    def bind(self, app: Celery) -> None:
        """This is the guard of ``app``."""
        self._app = app

    @property
    def app(self) -> Celery:
        """The app that this is the guard of."""
        return self._app

    def watch(self, changes: VersionedDict) -> None:
        """From now on, ``changes`` is where the app's configuration changes."""
        self._changes, self._approved = changes, None

    def enforce_configuration(self, *, pool: str | None = None, consumes: bool = False) -> None:
        """Hold the whole configuration against the policy.

        Args:
            pool: the worker's pool, where it is known better than the configuration knows it (``-P``).
            consumes: this process is a worker.

        Raises:
            PolicyViolationError: every violation found.
        """
        facts = app_facts(self._app, self, pool=pool, consumes=consumes)
        version = self._changes.version
        self.enforce(facts)
        self._approved = version

    def enforce_connection(self, url: object, ssl: object) -> None:
        """Hold the configuration against the policy, and a URL or TLS options that a caller brought instead of it.

        Raises:
            PolicyViolationError: every violation found.
        """
        self.enforce_configuration()
        conf = self._app.conf
        known = broker_urls(conf)
        options = conf.broker_use_ssl if ssl is None else ssl
        production = self.settings.profile == "production"
        for member in url.split(";") if isinstance(url, str) else url if isinstance(url, list | tuple) else ():
            if ssl is not None or member not in known:
                where = Place(f"connection of app {self._app.main or '__main__'!s}")
                self.enforce(transport_facts("broker", member, options, where, production=production))

    def enforce(self, subject: Facts, unknown: Literal["fail", "pass"] = "fail") -> None:
        """Hold a subject against the policy; rules at level ``warn`` are logged, once for each subject.

        Raises:
            PolicyViolationError: every violation of a rule at level ``error``.
        """
        report = enforce(subject, self.policy, unknown=unknown)
        for warning in report.warnings:
            if (warning.code, warning.subject) not in self._warned:
                self._warned.add((warning.code, warning.subject))
                logger.warning("policy %s: %s", self.policy.name, warning)

    def enforce_unchanged(self) -> None:
        """Cheap enough for every publish: look again only if the configuration changed since it was approved.

        At the first one, and then once a day, this warns of keys that expire: a process that only sends has no other
        moment, and a command that only looks shall not be littered with it.
        """
        self.expiry.look(self.ring)
        if self._approved != self._changes.version:
            self.enforce_configuration()

    def _approve_trust(self, before: TrustStore, after: TrustStore) -> None:
        """A trust file that changes while the process runs keeps to the policy as it had to at the start.

        Raises:
            PolicyViolationError: it lifts a key's grants (``mode = "report"``) where the policy does not allow that.
        """
        more = set(reported(self, after)) - set(reported(self, before))
        if more:
            self.enforce(replace(app_facts(self._app, self), report_mode=reported(self, after)))
            logger.warning("REPORT MODE for %s, from now on: what these may not send is run", ", ".join(sorted(more)))

    def enforce_own_grants(self, task: str, queue: str | None) -> None:
        """Tell a sender now what every worker would tell it later, by dead letter.

        Only where this process' trust store names its own key; one that only sends needs no store.

        Raises:
            SealError: the own key may not send this task, or not to this queue.
        """
        active = self.ring.active
        own = self.ring.trust.lookup(active.kid) if active else None
        if own is None:
            return
        if (amiss := own.check_validity(time.time(), max_skew_s=self.policy.limits.max_clock_skew_s)) is not None:
            raise SealError(
                f"key {own.kid!r} is not valid by this process' own trust store ({amiss}); nothing was sent"
            )
        if task not in BUILTIN_CANVAS and not own.may_send_task(task):
            raise SealError(f"key {own.kid!r} may not send task {task!r}; grant it in the trust store (send = [...])")
        if queue is not None and not own.may_use_queue(queue):
            raise SealError(
                f"key {own.kid!r} may not send task {task!r} to queue {queue!r}; grant it in the trust store "
                "(queues = [...])"
            )

    def enforce_own_command(self, command: str, *, replies: bool) -> None:
        """Tell who gives a command what no worker would: a refused command is only counted and logged there.

        Args:
            command: its name, or an older one.
            replies: whether the caller waits for replies.

        Raises:
            SealError: the own key may not give it, or this process trusts nobody whose reply it could believe.
        """
        trust = self.ring.trust
        if replies and not trust.keys:
            raise SealError(
                f"command {command!r}: without a trust file no reply can be verified; "
                "set SAFECELERY_SIGNING__TRUST_FILE to one that names the workers' keys. Nothing was sent"
            )
        active = self.ring.active
        own = trust.lookup(active.kid) if active else None
        name = ALIASES.get(command, command)
        if own is not None and not own.may_command(name):
            raise SealError(
                f"key {own.kid!r} may not give the command {name!r}; grant it in the trust store of the workers "
                f"(control = [{name!r}]). Nothing was sent"
            )

    def lifetime(self, headers: Mapping[str, Any], now: float) -> float:
        """Seconds for which a message is valid: the policy's age, counted from its ETA if it has one."""
        age = float(self.policy.limits.max_message_age_s)
        eta = headers.get("eta")
        if not eta:
            return age
        moment = datetime.fromisoformat(eta)
        due = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        return age + max(0.0, due - now)
