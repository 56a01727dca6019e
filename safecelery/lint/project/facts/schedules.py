"""What beat is told to send, as facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

from safecelery.lint.model.reading import plain
from safecelery.lint.model.values import ExtInstance, Seq, Table, Val
from safecelery.lint.project.analysis import Analysis
from safecelery.lint.project.conf import Configuration
from safecelery.lint.project.facts.evidence import Subject, place_of, stated
from safecelery.lint.project.facts.settings import app_place
from safecelery.lint.project.objects import App, Task
from safecelery.lint.project.options import Options
from safecelery.policy.facts import ABSENT, UNKNOWN, Place, ScheduleFacts

__all__ = ["period", "schedule_subject", "schedule_subjects"]

_ENTRY_KEYS: Final = frozenset(
    {"name", "task", "schedule", "args", "kwargs", "options", "relative", "last_run_at", "total_run_count", "app"}
)
"""What ``celery.beat.ScheduleEntry`` takes."""
_OWN_TASKS: Final = frozenset(
    f"celery.{name}" for name in ("accumulate", "backend_cleanup", "chain", "chord", "chord_unlock", "chunks", "group",
                                  "map", "starmap")
)  # fmt: skip
"""The tasks of every app (celery/app/builtins.py)."""
_DAY: Final = 86400
_CRONTAB: Final = ("minute", "hour", "day_of_week", "day_of_month", "month_of_year")
"""The parameters of ``celery.schedules.crontab`` in order."""


def schedule_subjects(analysis: Analysis, app: App, conf: Configuration) -> Iterator[Subject]:
    """Every entry of the app's ``beat_schedule``."""
    table = conf.value("beat_schedule")
    if not isinstance(table.data, Table):
        return
    by_name = {options.name: options for options in (analysis.options(task, app) for task in analysis.tasks)}
    for entry, value in table.data.items.items():
        if not isinstance(value.data, Table):
            continue
        fields = value.data.items
        keys = UNKNOWN if value.data.open else tuple(sorted(set(map(str, fields)) - _ENTRY_KEYS))
        where = place_of(value, app_place(app))
        yield schedule_subject(analysis, by_name, str(entry), where, fields, unknown_keys=keys)


def schedule_subject(
    analysis: Analysis,
    by_name: Mapping[str, Options],
    entry: str,
    where: Place,
    fields: Mapping[Any, Val],
    *,
    unknown_keys: Any = (),
) -> Subject:
    """One entry, whose ``fields`` are those of ``celery.beat.ScheduleEntry``."""
    task = fields.get("task", Val(None))
    name = next((each.name for each in by_name.values() if each.task is task.data), task_name(task))
    options = by_name.get(name) if isinstance(name, str) else None
    schedule = fields.get("schedule", Val(None))
    given = fields.get("options")
    expires: object = ABSENT
    if given is not None and given.data is not None:
        expires = UNKNOWN
        if isinstance(given.data, Table):
            missing = UNKNOWN if given.data.open else ABSENT
            expires = stated(given.data.items["expires"]) if "expires" in given.data.items else missing
    facts = ScheduleFacts(
        entry=entry,
        where=where,
        task=name if isinstance(name, str) else UNKNOWN,
        registered=_registered(analysis, name, options is not None),
        period_s=period(schedule),
        task_time_limit=stated(options.effective("time_limit")) if options is not None else UNKNOWN,
        expires_s=expires,
        task_expires_s=stated(options.effective("expires")) if options is not None else UNKNOWN,
        args_problem=_args_problem(options, fields),
        unknown_keys=unknown_keys,
        crontab=_crontab_arguments(schedule),
    )
    values = {str(key): item for key, item in fields.items()}
    if options is not None:
        values["time_limit"] = values["a run may take"] = options.effective("time_limit")
    return Subject(facts, values)


def _crontab_arguments(schedule: Val) -> Any:
    """What ``crontab(...)`` is given, by name; ABSENT for a schedule of another kind."""
    data = schedule.data
    if not isinstance(data, ExtInstance):
        return UNKNOWN if schedule.is_unknown else ABSENT
    if data.name.rpartition(".")[2] != "crontab":
        return ABSENT
    if "**" in data.kwargs:
        return UNKNOWN
    return tuple(dict.fromkeys((*_CRONTAB[: len(data.args)], *data.kwargs)))


def _args_problem(options: Options | None, fields: Mapping[str, Val]) -> Any:
    """Why the entry's arguments do not fit the task's function; None if they do, UNKNOWN if that cannot be told."""
    function = options.task.function if options is not None else None
    if options is None or function is None or options.task.form not in ("task", "shared_task"):
        return UNKNOWN
    args, kwargs = fields.get("args"), fields.get("kwargs")
    count = 0
    if args is not None and args.data is not None:
        if not isinstance(args.data, Seq) or args.data.open:
            return UNKNOWN
        count = len(args.data.items)
    named: set[str] = set()
    if kwargs is not None and kwargs.data is not None:
        if not isinstance(kwargs.data, Table) or kwargs.data.open:
            return UNKNOWN
        named = set(map(str, kwargs.data.items))
    if function.decorators and len(function.decorators) > 1:
        return UNKNOWN  # a decorator between may change the parameters
    names, positional, defaults, star, double = function.parameters
    bound = plain(options.task.options.get("bind", Val(False)))
    if bound is UNKNOWN or bool(options.task.options.get("pydantic")):
        return UNKNOWN
    skipped = 1 if bound is True else 0
    plain_names, rest = names[skipped:positional], names[positional:]
    if count > len(plain_names) and star is None:
        return f"{count} arguments are given, {len(plain_names)} are taken"
    filled = set(plain_names[:count])
    strange = sorted(named - set(names)) if double is None else []
    if strange:
        return f"{strange[0]!r} is not a parameter"
    twice = sorted(filled & named)
    if twice:
        return f"{twice[0]!r} is given twice"
    optional = {name for name, default in zip(names, defaults, strict=False) if default is not None}
    missing = [name for name in (*plain_names, *rest) if name not in filled | named | optional]
    return f"missing {missing[0]!r}" if missing else None


def _registered(analysis: Analysis, name: object, found: bool) -> Any:
    if found or name in _OWN_TASKS:
        return True
    if not isinstance(name, str) or name.startswith("celery."):
        return UNKNOWN
    top = name.partition(".")[0]
    # A name in a package of the tree must be declared there; any other may come from an installed package.
    ours = any(module.name.partition(".")[0] == top for module in analysis.modules.running())
    unsure = bool(analysis.unread) or any(task.options_open is not None for task in analysis.tasks)
    return False if ours and not unsure else UNKNOWN


def task_name(value: Val) -> object:
    """The name of the task an entry means: as text, or as the task itself."""
    if isinstance(value.data, Task):
        stated_name = plain(value.data.options.get("name", Val(None)))
        return stated_name or f"{value.data.module.name}.{value.data.default_name}"
    return plain(value)


def period(schedule: Val) -> Any:
    """Seconds between two runs, for a crontab the shortest; UNKNOWN if it cannot be told."""
    read = plain(schedule)
    if read is not UNKNOWN and read is not None:
        return read
    data = schedule.data
    if isinstance(data, ExtInstance):
        last = data.name.rpartition(".")[2]
        if last == "schedule" and (data.args or "run_every" in data.kwargs):
            return period(data.args[0] if data.args else data.kwargs["run_every"])
        if last == "crontab":
            return _crontab(data)
    return UNKNOWN


def _crontab(data: ExtInstance) -> Any:
    given = dict(zip(_CRONTAB, data.args, strict=False)) | data.kwargs
    minutes = _cron_numbers(given.get("minute"), 60)
    hours = _cron_numbers(given.get("hour"), 24)
    if minutes is None or hours is None:
        return UNKNOWN
    times = sorted(60 * (60 * hour + minute) for hour in hours for minute in minutes)
    if not times:
        return UNKNOWN
    gaps = [later - earlier for earlier, later in pairwise(times)]
    everyday = not any(name in given and plain(given[name]) != "*" for name in _CRONTAB[2:])
    wrap = times[0] + _DAY - times[-1]
    return min([*gaps, wrap]) if everyday or not gaps else min(gaps)


def _cron_numbers(value: Val | None, most: int) -> list[int] | None:
    """The numbers that one field of a crontab admits (celery/schedules.py, ``crontab_parser``)."""
    if value is None:
        return list(range(most))
    read = plain(value)
    if isinstance(read, bool):
        return None
    if isinstance(read, int):
        return [read] if 0 <= read < most else None
    if isinstance(read, list | tuple):
        return list(read) if all(isinstance(item, int) and 0 <= item < most for item in read) else None
    if not isinstance(read, str):
        return None
    found: set[int] = set()
    for part in read.split(","):
        span, _, step_text = part.strip().partition("/")
        if step_text and not step_text.isdigit():
            return None
        step = int(step_text or 1)
        if step <= 0:
            return None
        if span == "*":
            found.update(range(0, most, step))
        elif span.isdigit():
            found.add(int(span))
        else:
            first, dash, last = span.partition("-")
            if not (dash and first.isdigit() and last.isdigit()) or int(last) >= most or int(first) > int(last):
                return None
            found.update(range(int(first), int(last) + 1, step))
    return sorted(found) if all(0 <= item < most for item in found) else None
