"""An app's settings as it will see them: what was set, in order, over what it reads from objects, over the defaults.

Follows ``detect_settings`` and ``Settings`` (celery/app/utils.py): values set on ``app.conf`` win over
``config_from_object``, which is asked for each name with the namespace first, then plainly, then by Celery 3's name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from safecelery.lint.finding import Because
from safecelery.lint.model import attributes, fields
from safecelery.lint.model.known import to_val
from safecelery.lint.model.merging import merge
from safecelery.lint.model.reading import describe, plain
from safecelery.lint.model.values import Class, Ext, Instance, ModuleRef, Seq, Table, Unknown, Val, unknown
from safecelery.lint.project.objects import App, Event
from safecelery.policy.defaults import SAFE_SETTINGS
from safecelery.policy.setting_defaults import SETTING_DEFAULTS
from safecelery.policy.setting_names import OLD_NAMES, is_stray, read_as

if TYPE_CHECKING:
    from safecelery.lint.model.interpreter import Interpreter
    from safecelery.lint.project.dialect import Dialect

__all__ = ["Configuration", "configuration"]


class Configuration:
    """The settings of one app."""

    def __init__(self, *, safe: bool = False) -> None:
        self.safe = safe
        """The app is one of ours, which has defaults of its own."""
        self.values: dict[str, Val] = {}
        """By lower-case name, what somebody stated."""
        self.names: dict[str, Because] = {}
        """The names as written, with their places."""
        self.unknown_names: dict[str, Because] = {}
        """Names that Celery does not read."""
        self.strays: dict[str, Because] = {}
        """Names beside the settings that were meant for Celery."""
        self.open: Val | None = None
        """Why there may be settings that cannot be seen."""
        self.namespace: Val | None = None
        self._defaults: dict[str, Val] = {}

    def value(self, name: str) -> Val:
        """The setting, Celery's default where nobody states it, unknown where that cannot be told."""
        found = self.values.get(name)
        if found is not None:
            return found
        if self.open is not None:
            return unknown(describe(self.open), self.open.env, self.open.because)
        default = self._defaults.get(name)
        if default is None:
            default = self._defaults[name] = _default(name, safe=self.safe)
        return default

    def stated(self, name: str) -> bool:
        """Somebody states it."""
        return name in self.values


def _default(name: str, *, safe: bool) -> Val:
    return to_val(SAFE_SETTINGS[name] if safe and name in SAFE_SETTINGS else SETTING_DEFAULTS.get(name))


def configuration(it: Interpreter, dialect: Dialect, app: App) -> Configuration:
    """Everything that configures the app, put together."""
    conf = Configuration(safe=app.safe)
    for event in app.events:
        if event.kind == "defaults":
            _add_defaults(it, event, conf)
    sources = [event for event in app.events if event.kind == "source"]
    for event in sources[-1:] if _replaces(sources) else sources:
        _read_source(it, dialect, app, event, conf)
    for event in app.events:
        if event.kind == "open":
            conf.open = event.value
            for name in conf.values:  # any of them may have been set again
                conf.values[name] = unknown(describe(event.value), event.value.env, event.value.because)
        elif event.kind == "set":
            _apply(conf, event.name, event.value, event, None)
        elif event.kind == "flask":
            held = dialect.flask.all(it)
            if held is None:
                conf.open = unknown(dialect.flask.unseen or describe(event.value))
            for name, value in (held or {}).items():
                if name in OLD_NAMES:  # the configuration of the web application itself is full of other names
                    _apply(conf, name, it.settle(value), event, None)
    conf.namespace = _namespace(app, sources)
    return conf


def _add_defaults(it: Interpreter, event: Event, conf: Configuration) -> None:
    """``app.add_defaults(mapping)``: what holds where no configuration says otherwise."""
    data = event.value.data
    if not isinstance(data, Table) or data.open:
        conf.open = unknown(describe(event.value), event.value.env, event.value.because)
        return
    for key, value in data.items.items():
        _apply(conf, str(key), it.settle(value), event, None)


def _replaces(sources: list[Event]) -> bool:
    """A later ``config_from_object`` replaces an earlier one, if it surely runs."""
    return bool(sources) and sources[-1].certain


def _namespace(app: App, sources: list[Event]) -> Val | None:
    for event in reversed(sources):
        if event.namespace is not None:
            return event.namespace
    return app.namespace


def _apply(conf: Configuration, name: str, value: Val, event: Event, namespace: str | None) -> None:
    lower = read_as(name, namespace)
    at = value.because[0] if value.because else event.at
    conf.names.setdefault(name, at)
    if lower is None:
        conf.unknown_names.setdefault(name, at)
        return
    if not event.certain:
        before = conf.values.get(lower, _default(lower, safe=conf.safe))
        value = merge([before, value], f"a condition at {event.at.file}:{event.at.line}") or value
    conf.values[lower] = value


def _read_source(it: Interpreter, dialect: Dialect, app: App, event: Event, conf: Configuration) -> None:
    space = event.namespace if event.namespace is not None else app.namespace
    prefix = plain(space) if space is not None else None
    if space is not None and not (prefix is None or isinstance(prefix, str)):
        conf.open = unknown("the namespace", space.env, space.because)
        return
    namespace = prefix.rstrip("_") or None if isinstance(prefix, str) else None
    source = _resolved(it, event.value)
    names = list(_members(it, dialect, source, conf))
    taken: dict[str, int] = {}
    for name, value in names:
        if namespace is not None and not name.upper().startswith(namespace.upper() + "_"):
            lower = read_as(name, namespace)
            if lower is None or taken.get(lower, 9) < 1:
                if is_stray(name, namespace):
                    conf.strays.setdefault(name, value.because[0] if value.because else event.at)
                continue
            rank = 1
        elif namespace is None and name != name.lower() and name not in OLD_NAMES:
            if is_stray(name, None):
                conf.strays.setdefault(name, value.because[0] if value.because else event.at)
            continue
        elif namespace is None and name not in SETTING_DEFAULTS and name not in OLD_NAMES and not _telling(name):
            continue
        else:
            lower = read_as(name, namespace)
            rank = 0
        if lower is not None and taken.get(lower, 9) < rank:
            continue
        if lower is not None:
            taken[lower] = rank
        if event.certain:
            _apply(conf, name, value.depending(source.env), event, namespace)
        else:
            _apply(conf, name, value, event, namespace)


def _telling(name: str) -> bool:
    """A lower-case name of a configuration module that can only be meant for Celery."""
    return not name.startswith("_") and name.startswith(("task_", "worker_", "broker_", "beat_", "result_", "accept_"))


def _resolved(it: Interpreter, source: Val) -> Val:
    """``"package.module:attribute"`` and the like as the object they name."""
    text = source.data
    if not isinstance(text, str):
        return source
    if text in ("django.conf:settings", "django.conf.settings"):
        return Val(Ext("django.conf.settings"), source.env, source.because)
    dotted, _, attribute = text.partition(":")
    for importer in it.modules.all_modules():
        module = it.find(dotted, importer)
        if module is not None:
            if not attribute:
                return Val(ModuleRef(module), source.env, source.because)
            found = it.member(module, attribute)
            return found.depending(source.env) if found is not None else unknown(text, source.env, source.because)
        if not attribute and "." in dotted:
            owner, _, last = dotted.rpartition(".")
            module = it.find(owner, importer)
            found = it.member(module, last) if module is not None else None
            if found is not None:
                return found.depending(source.env)
        break
    return unknown(f"config_from_object({text!r})", source.env, source.because)


def _members(it: Interpreter, dialect: Dialect, source: Val, conf: Configuration) -> Iterator[tuple[str, Val]]:
    data: Any = source.data
    if isinstance(data, Ext) and data.name == "django.conf.settings":
        blocked = dialect.django.incomplete(it)
        if blocked is not None:
            conf.open = blocked
        yield from dialect.django.names(it)
    elif isinstance(data, ModuleRef):
        it.run(data.module)
        for star in data.module.stars:
            conf.open = unknown(f"from {star} import *")
        if data.module.unseen:
            conf.open = unknown(data.module.unseen)
        for name, value in list(data.module.names.items()):
            if not name.startswith("_"):
                yield name, it.settle(value)
    elif isinstance(data, Class | Instance):
        yield from _of_class(it, source, data, conf)
    elif isinstance(data, Table):
        for key, value in data.items.items():
            yield str(key), value
        if data.open:
            conf.open = unknown("a part of the configuration", source.env, source.because)
    elif isinstance(data, Seq):
        conf.open = unknown("config_from_object()")
    elif data is not None:
        why = data.why if isinstance(data, Unknown) else describe(source)
        conf.open = unknown(why, source.env, source.because)


def _of_class(it: Interpreter, source: Val, data: Class | Instance, conf: Configuration) -> Iterator[tuple[str, Val]]:
    cls = data.cls if isinstance(data, Instance) else data
    seen: set[str] = set()
    own = data.attributes if isinstance(data, Instance) else {}
    for name, value in own.items():
        seen.add(name)
        yield name, value
    for base in cls.mro():
        if isinstance(base, Unknown):
            conf.open = Val(base)
        elif isinstance(base, Ext):
            if base.name.rpartition(".")[2] not in _BARE_BASES:
                conf.open = unknown(f"base class {base.name}, outside the tree")
        else:
            for name in list(base.attributes):
                if name in seen or name.startswith("_"):
                    continue
                seen.add(name)
                at = Because(base.module.path, base.line, name)
                found = attributes.class_attribute(it, cls, name, source if isinstance(data, Instance) else None, at)
                if found is not None:
                    yield name, fields.value(it, cls, name, found)


_BARE_BASES: Final = frozenset(
    {"object", "ABC", "Generic", "Protocol", "NamedTuple", "BaseSettings", "BaseModel", "Enum", "StrEnum"}
)
"""Last names of base classes that bring no settings of Celery's."""
