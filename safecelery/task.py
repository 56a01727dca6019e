"""SafeTask: the base class of every task of a hardened app, and the gate it passes at registration."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, ClassVar, Generic, ParamSpec, TypeVar

from celery import Task
from celery.utils.imports import symbol_by_name
from celery.utils.time import get_exponential_backoff_interval

from safecelery.errors import SettingsError, TransientError
from safecelery.policy.defaults import SAFETASK_DEFAULTS
from safecelery.policy.facts import Place, TaskFacts
from safecelery.policy.vocabulary import ROUTING_OPTIONS, misspelt_task_options
from safecelery.runtime.arguments import ArgumentChecker, plain
from safecelery.runtime.encrypting import require_encryption
from safecelery.runtime.execute import ClampedRequest
from safecelery.runtime.facts import redelivered_after
from safecelery.runtime.guard import guard_of
from safecelery.runtime.hidden import behind_veil, veil
from safecelery.runtime.idempotency import DEFAULT_TTL_S, Idempotency
from safecelery.runtime.options import check_call
from safecelery.runtime.outcome_code import operations_secret
from safecelery.runtime.outcomes import run_once
from safecelery.runtime.pending import PendingResult
from safecelery.runtime.results.replaced import answers_for, stands_in
from safecelery.runtime.results.table import check_task_backend

__all__ = ["BUILTINS", "PendingResult", "SafeTask", "place_of", "task_facts"]

#: Where Celery's own tasks (map, group, chord_unlock ...) are defined.
BUILTINS = "celery.app.builtins"

P = ParamSpec("P")
R = TypeVar("R")


class SafeTask(Task, Generic[P, R]):
    """A Celery task whose safe options are on, whose limits must be stated, and whose calls are checked.

    By decorator, ``@app.task(time_limit=30, soft_time_limit=25)``, or by subclass::

        class Charge(SafeTask):
            name = "billing.charge"
            time_limit, soft_time_limit = 30, 25

            def run(self, amount: int) -> str: ...

        charge = app.register_task(Charge())
    """

    abstract = True
    Request = "safecelery.runtime.execute:ClampedRequest"

    acks_late = SAFETASK_DEFAULTS["acks_late"]
    reject_on_worker_lost = SAFETASK_DEFAULTS["reject_on_worker_lost"]
    # Bounds the loop that reject_on_worker_lost alone would make of a task that kills its process (Celery 5.7).
    retry_on_worker_lost = SAFETASK_DEFAULTS["retry_on_worker_lost"]
    autoretry_for: Sequence[type[BaseException]] = (TransientError, ConnectionError, TimeoutError)
    retry_backoff: Any = SAFETASK_DEFAULTS["retry_backoff"]
    retry_backoff_max: int = SAFETASK_DEFAULTS["retry_backoff_max"]
    retry_jitter: bool = SAFETASK_DEFAULTS["retry_jitter"]
    max_retries: int | None = SAFETASK_DEFAULTS["max_retries"]
    serializer = SAFETASK_DEFAULTS["serializer"]
    #: Messages and results are encrypted, and Celery's logs and events show neither (docs/guides/encryption.md).
    encrypt: bool = False
    #: ``"charge:{order_id}"`` over the task's parameters, or a function of its arguments: two calls of the same key are
    #: one operation, which is done once and whose outcome both get (safecelery/runtime/idempotency.py).
    idempotency_key: str | Callable[..., str] | None = None
    #: Seconds for which the outcome is kept.
    idempotency_ttl: float = DEFAULT_TTL_S
    #: Exceptions that are an outcome as well. After any other one, the next call runs.
    idempotency_errors: Sequence[type[Exception]] = ()

    #: Hard and soft limit in seconds as registered; neither callers, messages nor remote control change these.
    granted_limits: ClassVar[tuple[float | None, float | None]] = (None, None)
    _check_arguments: ClassVar[ArgumentChecker | None] = None
    _idempotency: ClassVar[Idempotency | None] = None

    @classmethod
    def on_bound(cls, app: Any) -> None:
        """The gate: runs when the task joins an app, with every default and annotation in place.

        Raises:
            PolicyViolationError: every violation, with file, line and fix.
        """
        super().on_bound(app)
        if cls.name is None:
            return
        if cls.__module__ != BUILTINS:  # nobody writes those; create_app gives them the policy's own limits
            guard_of(app).enforce(task_facts(cls))
            if not issubclass(symbol_by_name(cls.Request), ClampedRequest):
                raise SettingsError(f"task {cls.name!r} [{place_of(cls)}]: its Request does not inherit ClampedRequest")
            check_task_backend(cls, guard_of(app).settings.results)
        require_encryption(app, cls, place_of(cls))
        cls.granted_limits = (cls.time_limit, cls.soft_time_limit)
        function, skip_first = _function(cls)
        cls._check_arguments = ArgumentChecker(cls.name, function, skip_first=skip_first)
        cls._idempotency = Idempotency.declared(cls, function, skip_first=skip_first, where=place_of(cls))

    def delay(self, *args: P.args, **kwargs: P.kwargs) -> PendingResult[R]:
        """Send the task with these arguments, checked against its annotations before anything is sent."""
        return self.apply_async(args, kwargs)

    def apply_async(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        *more: Any,
        **options: Any,
    ) -> PendingResult[R]:
        """As Celery's, for calls that the policy allows.

        Raises:
            PolicyViolationError: an unknown option, a limit above the task's own, another serializer.
            ArgumentsRejected: arguments that do not fit the annotations.
        """
        check_call(self._get_app(), self.name, options, task=self)
        if self._check_arguments is not None:
            self._check_arguments(args or (), kwargs or {})
        result: PendingResult[R] = super().apply_async(plain(args), plain(kwargs), *more, **options)
        return result

    def apply(self, *args: Any, **kwargs: Any) -> Any:
        """As Celery's ``Task.apply``, which runs the task here and now, and logs it as a worker would."""
        with veil(self.name, self.name) if guard_of(self._get_app()).cipher.must_encrypt(self.name) else nullcontext():
            return super().apply(*args, **kwargs)

    @property
    def __trace__(self) -> Any:
        """What a process of the pool calls for each message; Celery sets it (celery/concurrency/prefork.py)."""
        return self._tracer

    @__trace__.setter
    def __trace__(self, tracer: Any) -> None:
        self._tracer = None if tracer is None else behind_veil(tracer, self.name)

    _tracer: Any = None

    def signature(self, args: Any = None, *more: Any, **options: Any) -> Any:
        """As Celery's ``Task.signature``, with the same check of options as :meth:`apply_async`."""
        given = {name: value for name, value in options.items() if name not in _SIGNATURE_ARGUMENTS}
        check_call(self._get_app(), self.name, {**(options.get("options") or {}), **given}, task=self)
        return super().signature(args, *more, **options)

    subtask = signature

    def signature_from_request(self, *args: Any, **options: Any) -> Any:
        """As Celery's, which says ``time_limit=None`` where nobody asked for a limit: that would read as lifting it."""
        again = super().signature_from_request(*args, **options)
        for limit in ("time_limit", "soft_time_limit"):
            if again.options.get(limit) is None:
                again.options.pop(limit, None)
        return again

    subtask_from_request = signature_from_request

    def retry(
        self, args: Any = None, kwargs: Any = None, exc: BaseException | None = None, throw: bool = True,
        eta: Any = None, countdown: float | None = None, max_retries: int | None = None, **options: Any,
    ) -> Exception:  # fmt: skip
        """As Celery's, with backoff and jitter where no time is given, and never more retries than registered.

        Backoff never means at once: such a retry could finish before this run's ``RETRY`` is stored, which would then
        overwrite its result (celery/app/trace.py, ``handle_retry``). A stated ``countdown=0`` is kept.
        """
        if eta is None and countdown is None:
            interval: int = get_exponential_backoff_interval(
                factor=int(max(1.0, float(self.retry_backoff))),
                retries=self.request.retries,
                maximum=self.retry_backoff_max,
                full_jitter=self.retry_jitter,
            )
            countdown = max(1, interval)
        elif countdown == 0 and self.retry_backoff and isinstance(exc, tuple(self.autoretry_for)):
            countdown = 1  # from autoretry, whose jitter may come to nothing (celery/app/autoretry.py)
        if max_retries is not None and self.max_retries is not None:
            max_retries = min(max_retries, self.max_retries)
        return super().retry(  # type: ignore[no-any-return]
            args, kwargs, exc, throw, eta, countdown, max_retries, **options
        )

    def on_replace(self, sig: Any) -> Any:
        """As Celery's: the task that got this one's id answers in this one's name."""
        stands_in(sig, self.request.id, answers_for(self.request, self.request.id) or self.name)
        return super().on_replace(sig)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run here and now. In a worker, this is where arguments are checked a second time.

        Raises:
            ArgumentsRejected: they do not fit; such a failure is never retried.
        """
        given: Any = (args, kwargs)
        if self._check_arguments is not None:
            given = self._check_arguments(args, kwargs)
        call = partial(super().__call__, *given[0], **given[1])
        declared = self._idempotency
        if declared is None or self.request.called_directly or self.request.is_eager:
            return call()  # type: ignore[no-any-return]
        name = declared.name_of(given[0], given[1], operations_secret(self))
        return run_once(self, declared, name, call)  # type: ignore[no-any-return]


#: Arguments of ``celery.canvas.Signature`` that are no options of the call.
_SIGNATURE_ARGUMENTS = frozenset({"kwargs", "options", "type", "app", "subtask_type", "immutable", "clone"})


def _function(task: type[SafeTask[..., Any]]) -> tuple[Callable[..., Any], bool]:
    """What the task runs, and whether its first parameter is the task itself."""
    decorated = task.__dict__.get("_decorated_fun")
    if decorated is not None:
        # Celery keeps a bound task's function as a plain attribute, an unbound one's as a staticmethod.
        return decorated.__func__, not isinstance(task.__dict__["run"], staticmethod)
    return task.run, True


def place_of(task: type[Any]) -> Place:
    """File and line where the task is written down."""
    decorated = task.__dict__.get("_decorated_fun")
    try:
        if decorated is not None:
            code = inspect.unwrap(decorated.__func__).__code__
            return Place(code.co_filename, code.co_firstlineno)
        return Place(inspect.getsourcefile(task) or "?", inspect.getsourcelines(task)[1])
    except (OSError, TypeError, AttributeError):
        return Place(task.__module__)


def task_facts(task: type[Any] | Any) -> TaskFacts:
    """The task as it is registered, for the policy's rules."""
    cls: Any = task if inspect.isclass(task) else type(task)
    retry_kwargs = getattr(cls, "retry_kwargs", None) or {}
    automatic = retry_kwargs if getattr(cls, "autoretry_for", ()) else {}  # celery/app/autoretry.py
    return TaskFacts(
        name=cls.name,
        where=place_of(cls),
        serializer=cls.serializer,
        time_limit=cls.time_limit,
        soft_time_limit=cls.soft_time_limit,
        acks_late=cls.acks_late,
        reject_on_worker_lost=cls.reject_on_worker_lost,
        retry_on_worker_lost=cls.retry_on_worker_lost,
        autoretry_for=tuple(f"{e.__module__}.{e.__qualname__}" for e in getattr(cls, "autoretry_for", ())),
        retry_backoff=getattr(cls, "retry_backoff", False),
        retry_backoff_max=getattr(cls, "retry_backoff_max", 600),
        retry_jitter=getattr(cls, "retry_jitter", True),
        max_retries=automatic.get("max_retries", cls.max_retries),
        unknown_options=misspelt_task_options(_attributes(cls)),
        acks_on_timeout=cls.acks_on_timeout,
        retry_kwargs=dict(retry_kwargs),
        dont_autoretry_for=tuple(f"{e.__module__}.{e.__qualname__}" for e in getattr(cls, "dont_autoretry_for", ())),
        default_retry_delay=cls.default_retry_delay,
        expires_s=getattr(cls, "expires", None),
        routing_options=tuple(name for name in ROUTING_OPTIONS if name in _attributes(cls) and _is_stated(cls, name)),
        visibility_timeout_s=redelivered_after(cls.app.conf),
        imported=True,  # by this process
        duplicate_of=None,  # Celery keeps the first task of a name; this one is registered
    )


def _is_stated(cls: type[Any], name: str) -> bool:
    """Somebody said so; binding leaves the setting's ``priority`` in the class too (celery/app/task.py, ``bind``)."""
    value = getattr(cls, name, None)
    return value is not None and not (name == "priority" and value == cls.app.conf.task_default_priority)


def _attributes(cls: type[Any]) -> set[str]:
    """What the task's own classes define, SafeTask and below it excluded."""
    return {name for base in cls.__mro__ if issubclass(base, SafeTask) and base is not SafeTask for name in vars(base)}
