"""A tree interpreted: its apps with their configurations, its tasks with their options.

Every file that may have to do with Celery is run by the interpreter. Then what only runs when somebody calls it is
looked at: functions nobody called that configure an app or declare tasks are taken to be called once at start-up, as
such functions are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from safecelery.lint.finding import Unread
from safecelery.lint.model.control import MOST_STEPS
from safecelery.lint.model.interpreter import Interpreter
from safecelery.lint.model.reading import plain
from safecelery.lint.model.values import Deferred, Val
from safecelery.lint.project.conf import Configuration, configuration
from safecelery.lint.project.dialect import Dialect
from safecelery.lint.project.objects import App, Task
from safecelery.lint.project.options import Known, Options
from safecelery.lint.project.order import app_first, settings_modules
from safecelery.lint.project.startup import run_uncalled
from safecelery.lint.project.tree import TreeModules
from safecelery.policy.facts import UNKNOWN, Tri

if TYPE_CHECKING:
    from safecelery.lint.source import SourceTree

__all__ = ["Analysis", "analyse"]


class Analysis:
    """What was found."""

    def __init__(self, it: Interpreter, dialect: Dialect, modules: TreeModules) -> None:
        self.it = it
        self.dialect = dialect
        self.modules = modules
        self.apps: list[App] = []
        self.tasks: list[Task] = []
        self.unread: list[Unread] = []
        self._configurations: dict[int, Configuration] = {}
        self._options: dict[tuple[int, int], Options] = {}
        self._declared: Known = {}

    @property
    def notes(self) -> list[str]:
        """What was assumed; settings are found when somebody first asks for one, so ask this last."""
        return [self.dialect.django.assumed] if self.dialect.django.assumed else []

    def conf(self, app: App | None) -> Configuration | None:
        """The settings of an app."""
        if app is None:
            return None
        found = self._configurations.get(id(app))
        if found is None:
            found = configuration(self.it, self.dialect, app)
            self._configurations[id(app)] = found
        return found

    def apps_of(self, task: Task) -> list[App]:
        """The apps that run a task: its own, or for a shared task those that could."""
        if task.app is not None:
            return [task.app]
        if task.form == "external" or not self.apps:
            return []
        return self._running()

    def primary(self, task: Task) -> App | None:
        """The app whose configuration is taken where one must be named."""
        apps = self.apps_of(task)
        return apps[0] if apps else None

    def _running(self) -> list[App]:
        """Apps that shared tasks can belong to, the likeliest first: those that are configured."""
        return sorted(self.apps, key=lambda app: -_weight(app))

    def judged_apps(self) -> list[App]:
        """The apps whose settings are judged: those somebody configures, else all."""
        configured = [app for app in self.apps if app.safe or app.events]
        return configured or self.apps

    def judging(self, task: Task) -> list[App]:
        """The apps under which a task is judged: its own, or those that a worker could run a shared task with."""
        if task.app is not None:
            return [task.app]
        apps = self.apps_of(task)
        sourced = [app for app in apps if app.safe or any(event.kind == "source" for event in app.events)]
        return sourced or apps[:1]

    def in_production(self, app: App) -> Tri:
        """Whether the settings read are those of production: not, if they lie in a module for development or tests."""
        module = self.dialect.django.module
        sources = [event for event in app.events if event.kind == "source"]
        places = [event.at.file for event in sources] + ([module.path] if module is not None and sources else [])
        words = {word for place in places for word in re.split(r"[^a-z]+", place.rpartition("/")[2].lower())}
        return not words & _DEVELOPMENT

    @property
    def results_read(self) -> Tri:
        """Some code of the tree reads results; UNKNOWN where it looks like it."""
        answers = [module.record.ir.get("reads_results") for module in self.modules.running()]
        if True in answers:
            return True
        return UNKNOWN if None in answers else False

    def does_io(self, task: Task) -> Tri:
        """Its own text talks to another machine, and never retries by itself."""
        if task.function is None:
            return UNKNOWN
        for line, retries in task.module.record.ir.get("talking", []):
            if line == task.line:
                return not retries
        return False

    def options(self, task: Task, app: App | None) -> Options:
        """The options of a task under an app."""
        key = (id(task), id(app))
        found = self._options.get(key)
        if found is None:
            found = self._options[key] = Options(self.it, task, app, self.conf(app), self._declared)
        return found


_DEVELOPMENT = frozenset({"dev", "devel", "development", "local", "test", "tests", "testing", "ci", "debug", "demo"})
"""Words in a module's name that say whom it is for."""


def _weight(app: App) -> int:
    sources = sum(1 for event in app.events if event.kind == "source")
    return sources * 10 + min(len(app.events), 9)


def analyse(tree: SourceTree, *, settings: str | None = None, environment: Mapping[str, str] | None = None) -> Analysis:
    """Interpret a tree.

    ``settings`` names the Django settings module, if it is known; ``environment`` holds what to assume of variables.
    """
    modules = TreeModules(tree)
    dialect = Dialect()
    it = Interpreter(modules, dialect)
    it.environ.update({name: Val(value) for name, value in (environment or {}).items()})
    analysis = Analysis(it, dialect, modules)
    dialect.django.stated = settings
    running = modules.running()
    modules.uses_init_subclass = any("__init_subclass__" in module.words for module in running)
    dialect.django.candidates = settings_modules(running)
    for name, _ in dialect.django.candidates[:1]:
        it.environ.setdefault("DJANGO_SETTINGS_MODULE", Val(name))
    for module in sorted(running, key=app_first):
        it.run(module)
    for module in running:
        it.force(module)
    it.limit = max(it.limit, it.steps + MOST_STEPS)  # for what is looked up from here on
    run_uncalled(it, running)
    _name_apps(it, dialect)
    analysis.apps = [app for app in dialect.apps if not _is_abandoned(app)]
    if len(analysis.apps) == 1:
        for task in dialect.tasks:
            if task.unfollowed:
                task.app = analysis.apps[0]
    analysis.tasks = [t for t in _unique(dialect.tasks) if not tree.is_around(t.module.record.file)]
    analysis.unread = [Unread(path, line, why) for path, line, why in it.failures]
    return analysis


def _name_apps(it: Interpreter, dialect: Dialect) -> None:
    """Give each app the name it is bound to."""
    for module in it.modules.all_modules():
        for name, value in module.names.items():
            data = value.data
            if type(data) is Deferred and data.value is not None:
                data = data.value.data
            if type(data) is App and data.module is module and not data.variable:
                data.variable = name


def _is_abandoned(app: App) -> bool:
    """Made only to send or to look: never configured and never bound, so nobody runs a worker with it."""
    return not app.variable and not app.events and plain(app.main) is None


def _unique(tasks: list[Task]) -> list[Task]:
    found: dict[tuple[str, int, str, int], Task] = {}
    for task in tasks:
        name = plain(task.options.get("name"))
        key = (task.module.path, task.line, name if isinstance(name, str) else "", id(task.app))
        found.setdefault(key, task)
    return list(found.values())
