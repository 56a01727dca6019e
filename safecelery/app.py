"""create_app: the composition root, the only place where settings, policy, keys and Celery meet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar, cast, overload

from celery import Celery
from celery.app import backends
from celery.app.utils import Settings

from safecelery.brokers.connection import SafeConnection, SafeConnectionPool
from safecelery.errors import PolicyViolationError, SettingsError
from safecelery.keys.encryption.ring import DecryptionKeys, load_operations_key
from safecelery.keys.live import LiveKeyring
from safecelery.message.cipher import Cipher
from safecelery.policy.facts import Place
from safecelery.policy.profile import load_policy
from safecelery.runtime.conf import configure
from safecelery.runtime.development import development_settings
from safecelery.runtime.guard import Guard
from safecelery.runtime.keys import KeysStep
from safecelery.runtime.metrics import MetricsStep
from safecelery.runtime.options import check_call, check_declaration
from safecelery.runtime.results.table import sealed_class
from safecelery.runtime.startup import PolicyStep
from safecelery.settings import SafeCelerySettings
from safecelery.task import BUILTINS, PendingResult, SafeTask, place_of
from safecelery.telemetry.keys import KeyLog

__all__ = ["SafeCelery", "create_app"]

P = ParamSpec("P")
R = TypeVar("R")


class SafeCelery(Celery):
    """A Celery app that signs what it sends, admits only what is signed, and keeps to its policy.

    Made by :func:`create_app`. Everything else is Celery's: ``celery -A proj worker`` and the rest work as ever.
    """

    amqp_cls = "safecelery.runtime.amqp:SafeAMQP"
    task_cls = "safecelery.task:SafeTask"
    events_cls = "safecelery.runtime.events:SafeEvents"
    control_cls = "safecelery.runtime.control:SafeControl"

    def __init__(self, main: str, *, guard: Guard, **options: Any) -> None:
        self.guard = guard
        self._violations: list[object] = []
        guard.bind(self)
        super().__init__(main, **options)
        self.steps["worker"].add(PolicyStep)
        self.steps["worker"].add(KeysStep)
        self.steps["worker"].add(MetricsStep)

    # Configuration ---------------------------------------------------------------------------------------------

    def _load_config(self) -> Settings:
        """Celery's loading of the project's settings, then ours around them (celery/app/base.py)."""
        conf = super()._load_config()
        self.guard.watch(configure(conf, self.guard.settings, self.guard.policy.limits))
        return conf

    def _connection(self, url: str, *args: Any, **kwargs: Any) -> SafeConnection:
        """Every connection begins with a look at the whole configuration, and at what the caller wants instead."""
        self.guard.enforce_connection(url, kwargs.get("ssl"))
        return cast("SafeConnection", super()._connection(url, *args, **kwargs))

    _pool: SafeConnectionPool | None = None

    @property
    def pool(self) -> SafeConnectionPool:
        """The app's own pool of its own kind of connections."""
        if self._pool is None:
            self._ensure_after_fork()
            self._pool = SafeConnectionPool(self.connection_for_write(), limit=self.conf.broker_pool_limit)
        return self._pool

    def _get_backend(self) -> Any:
        """The result backend, whose connection the policy covers as well: ours in place of Celery's, which seals."""
        self.guard.enforce_configuration()
        theirs, url = backends.by_url(self.backend_cls or self.conf.result_backend, self.loader)
        return sealed_class(theirs, self.guard.settings.results)(app=self, url=url)

    # Tasks -----------------------------------------------------------------------------------------------------

    @overload
    def task(self, fun: Callable[P, R], /) -> SafeTask[P, R]: ...
    @overload
    def task(
        self, *, bind: Literal[True], **options: Any
    ) -> Callable[[Callable[Concatenate[SafeTask[..., Any], P], R]], SafeTask[P, R]]: ...
    @overload
    def task(self, *, bind: Literal[False] = False, **options: Any) -> Callable[[Callable[P, R]], SafeTask[P, R]]: ...
    def task(self, *args: Any, **options: Any) -> Any:
        """As Celery's ``@app.task``, but at once: a task that breaks the policy fails where it is written.

        Celery would make a proxy and look at the options when the app is first used.

        Raises:
            UnknownOptionError: an option that nothing would read.
            PolicyViolationError: every violation, with file, line and fix.
        """
        options.setdefault("lazy", False)
        # Celery would add it to every other app of the process, whatever its policy.
        options.setdefault("shared", False)
        return super().task(*args, **options)

    def _task_from_fun(self, fun: Callable[..., Any], name: str | None = None, base: Any = None, **options: Any) -> Any:
        """Both decorators end here, ``@app.task`` and ``@shared_task`` (celery/app/base.py)."""
        name = name or self.gen_task_name(fun.__name__, fun.__module__)
        base = base or self.Task
        code = getattr(fun, "__code__", None)
        where = Place(code.co_filename, code.co_firstlineno) if code else Place(fun.__module__)
        if not issubclass(base, SafeTask):
            raise SettingsError(f"task {name!r} [{where}]: base {base.__qualname__} is not a SafeTask; inherit it")
        check_declaration(name, base, options, where)
        if fun.__module__ == BUILTINS:
            options |= _builtin_limits(self.guard)
        existed = name in self._tasks
        try:
            return super()._task_from_fun(fun, name=name, base=base, **options)
        except Exception as error:
            if not existed:
                self._tasks.pop(name, None)
            if isinstance(error, PolicyViolationError) and self._finalizing:
                self._violations += error.violations
                return None
            raise

    def register_task(self, task: Any, **options: Any) -> Any:
        """As Celery's, for a class or an instance of :class:`SafeTask`.

        Raises:
            PolicyViolationError: every violation, with file, line and fix.
        """
        cls = task if isinstance(task, type) else type(task)
        if not issubclass(cls, SafeTask):
            raise SettingsError(
                f"task class {cls.__qualname__} [{place_of(cls)}] is not a SafeTask; inherit safecelery.SafeTask"
            )
        check_declaration(cls.__qualname__, cls, options, place_of(cls))
        return super().register_task(task, **options)

    _finalizing = False

    def finalize(self, auto: bool = False) -> None:
        """As Celery's; shared tasks join here, and all that break the policy are reported in one error.

        Raises:
            PolicyViolationError: now and at every later use of the tasks, until the code is mended.
        """
        if self._violations and not self._finalizing:
            raise PolicyViolationError(self._violations, subject=f"app {self.main!r}")
        if self._finalizing:
            super().finalize(auto=auto)
            return
        self._finalizing = True
        try:
            super().finalize(auto=auto)
        finally:
            self._finalizing = False
        if self._violations:
            raise PolicyViolationError(self._violations, subject=f"app {self.main!r}")

    @cached_property
    def Worker(self) -> Any:  # noqa: N802  # Celery's name
        """What ``celery worker`` runs."""
        return self.subclass_with_self("safecelery.runtime.startup:SafeWorker", name="Worker")

    @cached_property
    def Beat(self) -> Any:  # noqa: N802  # Celery's name
        """What ``celery beat`` runs."""
        return self.subclass_with_self("safecelery.runtime.beat:SafeBeat", name="Beat")

    # Calls -----------------------------------------------------------------------------------------------------

    def send_task(
        self,
        name: str,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        *more: Any,
        **options: Any,
    ) -> PendingResult[Any]:
        """As Celery's, by name: for services that have no code of the task.

        Raises:
            UnknownOptionError, PolicyViolationError: the call breaks the policy.
            SealError: the message cannot be signed.
        """
        if options.get("task_type") is None:
            check_call(self, name, options, task=self._tasks.get(name))
        result: PendingResult[Any] = super().send_task(name, args, kwargs, *more, **options)
        return result


def _builtin_limits(guard: Guard) -> dict[str, float]:
    limits = guard.policy.limits
    soft = min(limits.max_soft_time_limit_s, limits.max_time_limit_s * 0.9)
    return {"time_limit": limits.max_time_limit_s, "soft_time_limit": soft}


def create_app(name: str, settings: SafeCelerySettings | None = None, **options: Any) -> SafeCelery:
    """Make the hardened Celery app of a service.

    Args:
        name: the app's name, first part of automatic task names.
        settings: ``None`` reads them from the environment, a secrets directory and ``safecelery.toml``.
        options: further arguments of ``celery.Celery``, such as ``include``.

    Raises:
        SettingsError: settings are unknown, missing or wrong.
        PolicyFileError: the policy cannot be used.
        KeyringError: a key or the trust store cannot be used.

        PolicyViolationError: the configuration breaks the policy. Where the broker is configured later
            (``app.config_from_object``), this comes with the first connection or worker start instead; both, and
            every publish after a change of ``app.conf``, look again.
    """
    settings = settings or SafeCelerySettings()
    if settings.profile == "development":
        settings = development_settings(name, settings)
    policy = load_policy(settings.policy)
    ring = LiveKeyring(settings.signing.key or None, settings.signing.trust_file, KeyLog())
    encryption = settings.encryption
    names = load_operations_key(encryption.operations_key) if encryption.operations_key else None
    cipher = Cipher(ring, DecryptionKeys(encryption.keys), encryption.tasks, operations=names)
    guard = Guard(settings, policy, ring, cipher)
    app = SafeCelery(name, guard=guard, **options)
    if settings.broker.url:
        guard.enforce_configuration()
    return app
