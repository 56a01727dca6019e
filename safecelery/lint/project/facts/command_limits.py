"""The time limits that worker command lines set: ``celery worker --time-limit=300``.

What such an option does depends on the version. Since Celery 5.7 a setting is copied to each task that states no limit
(celery/app/task.py, ``Task.from_config``), and a task's limit wins over the pool's, so the option only counts where
neither task nor setting states one. Before, the option replaced the setting (celery/apps/worker.py and
celery/worker/components.py, ``Pool``), and only the task's own limit won over it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from safecelery.deferred import dataclass
from safecelery.lint.deploy import starts
from safecelery.lint.finding import Because
from safecelery.lint.model.reading import plain
from safecelery.lint.model.values import Val, unknown
from safecelery.lint.project.objects import App
from safecelery.lint.project.options import Options
from safecelery.policy.facts import ABSENT, UNKNOWN, DeployFacts, Stated

__all__ = ["CommandLimits"]

_OPTIONS: Mapping[str, str] = {"time_limit": "--time-limit", "soft_time_limit": "--soft-time-limit"}
_COPIED = (5, 7)
"""The first version of Celery that copies the settings to the tasks."""


@dataclass(slots=True)
class CommandLimits:
    """The worker command lines of a project, asked about one task at a time."""

    processes: Sequence[DeployFacts]
    celery: Stated
    """The version, UNKNOWN if nothing says it."""
    files: Sequence[str]
    """Where the project's apps are made."""
    _workers: dict[int, list[DeployFacts]] = field(default_factory=dict)

    def workers(self, app: App) -> list[DeployFacts]:
        """The workers of an app: those whose ``-A`` names it; all of them, if it is the only app."""
        found = self._workers.get(id(app))
        if found is None:
            found = self._workers[id(app)] = self._workers_of(app)
        return found

    def _workers_of(self, app: App) -> list[DeployFacts]:
        workers = [process for process in self.processes if process.role == "worker"]
        real = [process for process in workers if process.production is not False]
        workers = real or workers  # a command line for development says nothing where there is one for production
        if len(self.files) > 1:
            return [process for process in workers if starts(process.app, app.module.path)]
        return workers

    def limit(self, option: str, options: Options, queue: object) -> tuple[Val, str]:
        """The limit that holds for a task under every worker that may run it, and the worker that sets none.

        ``queue``: where the task is sent, UNKNOWN if that cannot be told. The worker is empty where all agree.
        """
        value = options.effective(option)
        app = options.app
        if app is None or app.safe or value.is_unknown or not self._asks(option, options, value):
            return value, ""
        workers = [worker for worker in self.workers(app) if _reads(worker, queue)]
        if not any(getattr(worker, option) is not ABSENT for worker in workers):
            return value, ""
        return self._combined(option, value, workers)

    def _asks(self, option: str, options: Options, value: Val) -> bool:
        """The command line has a say in it."""
        if value.data is None:
            return True
        own = options.declared(option)
        earlier = isinstance(self.celery, tuple) and self.celery < _COPIED
        return earlier and (own is None or own.data is None)

    def _combined(self, option: str, setting: Val, workers: Sequence[DeployFacts]) -> tuple[Val, str]:
        """The worst of what the workers set: none at all, then what cannot be read, then the highest."""
        found: list[tuple[Val, DeployFacts]] = [(_own(worker, option, setting), worker) for worker in workers]
        without = [worker for value, worker in found if plain(value) is None]
        if without:
            return setting, str(without[0].where)
        for value, _ in found:
            if plain(value) is UNKNOWN:
                return value, ""
        numbers = [value for value, _ in found if _is_number(value.data)]
        odd = [value for value, _ in found if not _is_number(value.data)]
        return (odd[0] if odd else max(numbers, key=_number)), ""

    def all_set(self, option: str, app: App) -> bool:
        """Every worker of the app sets the limit."""
        workers = self.workers(app)
        return bool(workers) and all(_is_number(getattr(worker, option)) for worker in workers)


def _own(worker: DeployFacts, option: str, setting: Val) -> Val:
    value = getattr(worker, option)
    name = _OPTIONS[option]
    at = Because(worker.where.file, worker.where.line, name)
    if value is ABSENT:
        return setting
    if value is UNKNOWN:
        return unknown(f"{name} of the worker at {worker.where}", worker.environment, (at,))
    return Val(value, worker.environment, (Because(at.file, at.line, f"{name}={value}"),))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: Val) -> float:
    return float(value.data) if isinstance(value.data, int | float) else 0.0


def _reads(worker: DeployFacts, queue: object) -> bool:
    """The worker may read the queue; without ``-Q`` it reads all that are declared."""
    return not (isinstance(queue, str) and isinstance(worker.queues, tuple)) or queue in worker.queues
