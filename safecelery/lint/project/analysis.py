"""A tree interpreted: its apps with their configurations, its tasks with their options.

Every file that may have to do with Celery is run by the interpreter. Then what only runs when somebody calls it is
looked at: functions nobody called that configure an app or declare tasks are taken to be called once at start-up, as
such functions are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from safecelery.lint.finding import Because, Unread
from safecelery.lint.ir import Node
from safecelery.lint.model.interpreter import MOST_STEPS, Interpreter
from safecelery.lint.model.protocols import Raised
from safecelery.lint.model.reading import plain
from safecelery.lint.model.scope import Module
from safecelery.lint.model.values import Deferred, Function, Val, unknown
from safecelery.lint.project.conf import Configuration, configuration
from safecelery.lint.project.dialect import Dialect
from safecelery.lint.project.names import is_celery_class
from safecelery.lint.project.objects import App, Task
from safecelery.lint.project.options import Options
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
        return Options(self.it, task, app, self.conf(app))


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
    dialect.django.candidates = _settings_modules(running)
    for name, _ in dialect.django.candidates[:1]:
        it.environ.setdefault("DJANGO_SETTINGS_MODULE", Val(name))
    for module in sorted(running, key=_app_first):
        it.run(module)
    for module in running:
        it.force(module)
    it.limit = max(it.limit, it.steps + MOST_STEPS)  # for what is looked up from here on
    _run_uncalled(it, running)
    _name_apps(it, dialect)
    analysis.apps = [app for app in dialect.apps if not _is_abandoned(app)]
    if len(analysis.apps) == 1:
        for task in dialect.tasks:
            if task.unfollowed:
                task.app = analysis.apps[0]
    analysis.tasks = [t for t in _unique(dialect.tasks) if not tree.is_around(t.module.record.file)]
    analysis.unread = [Unread(path, line, why) for path, line, why in it.failures]
    return analysis


def _app_first(module: Module) -> tuple[int, str]:
    """Modules that make an app run first, as they do when a worker starts."""
    makes = any(
        node[0] in ("=", "ann") and _mentions_celery_call(node[3] if node[0] == "=" else node[4])
        for node in module.body
    )
    return (0 if makes else 1, module.path)


def _mentions_celery_call(node: Node | None) -> bool:
    if node is None or node[0] != "c":
        return False
    function = node[2]
    last = function[3] if function[0] == "a" else function[2] if function[0] == "n" else ""
    return isinstance(last, str) and "celery" in last.lower()


# --- Django ---------------------------------------------------------------------------------------------------------


def _settings_modules(modules: list[Module]) -> list[tuple[str, Because]]:
    """What the tree sets ``DJANGO_SETTINGS_MODULE`` to, files that make Celery apps first."""
    found: list[tuple[int, str, Because]] = []
    for module in modules:
        if "DJANGO_SETTINGS_MODULE" not in module.words:
            continue
        for line, value in _assigned(module.body, "DJANGO_SETTINGS_MODULE"):
            last = module.path.rpartition("/")[2]
            rank = (
                0
                if "celery" in last.lower()
                else 1
                if last in ("wsgi.py", "asgi.py")
                else 2
                if last == "manage.py"
                else 3
            )
            found.append((rank, value, Because(module.path, line, "DJANGO_SETTINGS_MODULE")))
    found.sort(key=lambda item: (item[0], item[2].file))
    return [(value, because) for _, value, because in found]


def _assigned(body: list[Any], variable: str) -> Iterator[tuple[int, str]]:
    """Text constants that code gives an environment variable."""
    stack: list[Any] = list(reversed(body))
    while stack:
        node = stack.pop()
        if not isinstance(node, list):
            continue
        if (
            len(node) == 5
            and node[0] == "c"
            and len(node[3]) == 2
            and node[3][0][0] == "k"
            and node[3][0][2] == variable
        ):
            value = node[3][1]
            if value[0] == "k" and isinstance(value[2], str) and value[2]:
                yield node[1], value[2]
        elif len(node) == 4 and node[0] == "=" and node[3][0] == "k" and isinstance(node[3][2], str):
            for target in node[2]:
                if target[0] == "x" and target[3][0] == "k" and target[3][2] == variable:
                    yield node[1], node[3][2]
        stack.extend(part for part in reversed(node) if isinstance(part, list))


# --- what runs only when called ------------------------------------------------------------------------------------


def _run_uncalled(it: Interpreter, modules: list[Module]) -> None:
    """Call what nobody called and what configures apps or declares tasks, with arguments that are not known."""
    for wanted in (_FILLING, _CONFIGURING):
        for module in modules:
            if wanted is _FILLING and "from_object(" not in module.words:
                continue
            for function in list(module.functions):
                method_of_app = function.owner is not None and is_celery_class(function.owner)
                if function.called or function.body is None or not _acts(function.body, wanted, method_of_app):
                    continue
                at = Because(module.path, function.def_line, f"{function.name}()")
                names, positional, defaults = function.parameters[:3]
                given = [name for name, default in zip(names[:positional], defaults, strict=False) if default is None]
                args = [_argument(it, name, function) for name in given]
                try:
                    it.call(Val(function), args, {}, at)
                except Raised:
                    continue
                except RecursionError:
                    it.failures.append((module.path, function.def_line, f"{function.name}() is nested too deeply"))


def _argument(it: Interpreter, name: str, function: Function) -> Val:
    dialect = it.dialect
    if name == "self" and function.owner is not None and isinstance(dialect, Dialect):
        for app in dialect.apps:
            if app.cls is not None and function.owner in app.cls.mro():
                return Val(app)
    if name in ("self", "cls") and function.owner is not None:
        from safecelery.lint.model.values import Instance

        return Val(Instance(function.owner)) if name == "self" else Val(function.owner)
    if isinstance(dialect, Dialect) and len(dialect.apps) == 1 and ("celery" in name.lower() or name in ("sender",)):
        return Val(dialect.apps[0])
    return unknown(f"{name} of {function.name}()")


_FILLING = frozenset({"from_object"})
"""What fills Flask's configuration, which configures apps later."""
_CONFIGURING = frozenset({"config_from_object", "register_task", "config_from_envvar"})


def _acts(body: list[Any], wanted: frozenset[str], method_of_app: bool) -> bool:
    """The body configures an app, or declares a task by a decorator inside."""
    stack: list[Any] = list(body)
    while stack:
        node = stack.pop()
        if not isinstance(node, list) or not node:
            continue
        tag = node[0]
        if tag == "def" and len(node) == 8 and wanted is _CONFIGURING:
            for decorator in node[4]:
                inner = decorator[2] if decorator[0] == "c" else decorator
                last = inner[3] if inner[0] == "a" else inner[2] if inner[0] == "n" else ""
                if isinstance(last, str) and last.endswith("task"):
                    return True
        elif tag == "a" and len(node) == 4 and isinstance(node[3], str):
            if node[3] in wanted:
                return True
            if (
                wanted is _CONFIGURING
                and node[3] in ("conf", "Task")
                and (_is_app_like(node[2]) or (method_of_app and node[2][0] == "n" and node[2][2] == "self"))
            ):
                return True
        stack.extend(part for part in node if isinstance(part, list))
    return False


def _is_app_like(node: Node) -> bool:
    """``celery``, ``self.app``, ``registry["celery.app"]``."""
    if node[0] == "x":
        return node[3][0] == "k" and isinstance(node[3][2], str) and "celery" in node[3][2].lower()
    last = node[3] if node[0] == "a" else node[2] if node[0] == "n" else ""
    return isinstance(last, str) and ("celery" in last.lower() or last == "app")


# --- tidying --------------------------------------------------------------------------------------------------------


def _name_apps(it: Interpreter, dialect: Dialect) -> None:
    """Give each app the name it is bound to."""
    for module in it.modules.all_modules():
        for name, value in list(module.names.items()):
            if isinstance(value.data, Deferred) and value.data.value is not None:
                value = value.data.value
            if isinstance(value.data, App) and value.data.module is module and not value.data.variable:
                value.data.variable = name


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
