"""Generated task declarations and configurations: source text in every form the reader must cope with.

The text runs: with ``app`` bound it declares one task, last in ``TASK``.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import strategies as st

__all__ = ["Declaration", "configurations", "declarations", "literal_declarations"]

# Each option with values as source text.
_LITERAL: Mapping[str, tuple[str, ...]] = {
    "time_limit": ("30", "3600", "4000", "0", "-1", "True", "None", "2 * 60", "1e999", "'30'", "0.5"),
    "soft_time_limit": ("25", "30", "3599", "0", "False", "None", "30 - 5", "-2.5"),
    "acks_late": ("True", "False", "None", "1"),
    "reject_on_worker_lost": ("True", "False", "None"),
    "retry_on_worker_lost": ("True", "False", "None"),
    "serializer": ("'json'", "'pickle'", "'yaml'"),
    "autoretry_for": ("()", "(ConnectionError,)", "[OSError, KeyError]", "(IOError,)"),
    "retry_backoff": ("True", "False", "2", "0", "1.5"),
    "retry_backoff_max": ("600", "0", "-1", "7200", "True"),
    "retry_jitter": ("True", "False"),
    "max_retries": ("3", "0", "-1", "11", "None", "True", "2.5"),
    "retry_kwargs": ("{'max_retries': 2}", "{'max_retries': None}", "{'countdown': 5}", "{}"),
    "ignore_result": ("True",),
    "default_retry_delay": ("1", "3600", "None"),
    "expires": ("60", "None", "0"),
}
_COMPUTED: Mapping[str, tuple[str, ...]] = {
    "time_limit": ("LIMIT", "max(10, 20)", "int('40')", "HIDDEN", "LIMITS['long']", "minutes(2)", "Sizes.big"),
    "soft_time_limit": ("LIMIT", "LIMIT - 1", "HIDDEN", "int(SOFT)", "minutes(1) if ON else 5", "CHOSEN"),
    "acks_late": ("not True", "ON", "bool(HIDDEN)", "LIMIT > 5"),
    "reject_on_worker_lost": ("ON", "HIDDEN > 3"),
    "retry_on_worker_lost": ("ON",),
    "serializer": ("FORMAT", "f'{FORMAT}'"),
    "autoretry_for": ("EXCEPTIONS", "(Gone,)", "(*EXCEPTIONS, KeyError)", "(ConnectionError, Shadowed)", "FOUND"),
    "retry_backoff": ("ON", "HIDDEN"),
    "retry_backoff_max": ("LIMIT", "10 * MINUTE"),
    "retry_jitter": ("ON", "HIDDEN == 40"),
    "max_retries": ("len('ab')", "TRIES", "HIDDEN"),
    "retry_kwargs": ("dict(max_retries=None)", "{**MORE}", "{KEY: 12}", "dict(MORE, max_retries=HIDDEN)"),
    "default_retry_delay": ("MINUTE", "HIDDEN"),
}
_MISSPELT = ("time_limt", "soft_timelimit", "max_retrys")

# HIDDEN and what follows from it run well, and nobody who does not run them can tell what they are.
_PREAMBLE = """\
import functools

LIMIT, ON, FORMAT, KEY, MINUTE = 45, True, "yaml", "max_retries", 60
HIDDEN = int(__import__("math").floor(40.5))
EXCEPTIONS = (OSError,)
FOUND = tuple(vars(__import__("builtins"))[name] for name in ("KeyError",))
MORE = {"max_retries": 99}
OPTIONS = {"time_limit": 77, "acks_late": False}
LIMITS = {"short": 5}
LIMITS["long"] = 90
SOFT = "12"
TRIES = 0
for step in (1, 2, 3, 4):
    if step == 3:
        break
    TRIES += step
if HIDDEN > 50:
    CHOSEN = 7
else:
    CHOSEN = 8


def minutes(number, each=MINUTE):
    if number < 0:
        return 0
    return number * each


class Sizes:
    small = 4
    big = small * 20


class Gone(Exception):
    pass


class Shadowed(Exception):
    pass


class Mixin:
    soft_time_limit = 12
    max_retries = None


def job(limit=None, *, late=False, **options):
    options.setdefault("max_retries", 4)
    if limit is not None:
        options["time_limit"] = limit
    return app.task(acks_late=late, **options)


class Job:
    def __init__(self, **options):
        self.options = {"soft_time_limit": 33, **options}

    def __call__(self, function):
        return app.task(**self.options)(function)


def logged(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        return function(*args, **kwargs)

    return inner


"""

_CONFIGURATIONS = (
    "",
    "app.conf.update(task_time_limit=60, task_soft_time_limit=50)\n",
    "app.conf.task_time_limit = True\napp.conf['task_acks_late'] = True\n",
    "app.conf.update({'task_reject_on_worker_lost': True, 'task_retry_on_worker_lost': True})\n",
    "class Conf:\n    task_time_limit = 70\n    task_acks_late = True\napp.config_from_object(Conf)\n",
    (
        "class Conf:\n    JOBS_TASK_TIME_LIMIT = 70\n    task_acks_late = True\n"
        "app.config_from_object(Conf, namespace='JOBS')\n"
    ),
    (
        "class First:\n    task_time_limit = 5\nclass Second(First):\n    task_acks_late = True\n"
        "app.config_from_object(Second)\napp.conf.task_soft_time_limit = 4\n"
    ),
    "app.conf.task_annotations = {'*': {'time_limit': 6}}\n",
    "app.conf.task_annotations = {'*': {'max_retries': 1, 'acks_late': True}}\napp.conf.task_time_limit = 9\n",
    "hidden = int(__import__('math').floor(40.5))\napp.conf.task_time_limit = hidden\n",
    "hidden = int(__import__('math').floor(40.5))\nif hidden > 50:\n    app.conf.task_time_limit = 9\n",
    (
        "hidden = int(__import__('math').floor(40.5))\napp.conf.task_time_limit = 8\nif hidden < 50:\n"
        "    app.conf.task_time_limit = 9\n"
    ),
    "app.conf.update(**dict(task_acks_late=True, **vars(__import__('types').SimpleNamespace(task_time_limit=3))))\n",
    "for name, value in {'task_time_limit': 60, 'task_acks_late': True}.items():\n    setattr(app.conf, name, value)\n",
)

_numbers = itertools.count()


@dataclass(frozen=True)
class Declaration:
    """``source`` is a module that needs ``app`` and declares one task called ``name``, last in ``TASK``."""

    name: str
    source: str
    options: Mapping[str, str]


def _options(values: Mapping[str, tuple[str, ...]], *, misspelt: bool) -> st.SearchStrategy[dict[str, str]]:
    chosen = st.fixed_dictionaries({}, optional={name: st.sampled_from(texts) for name, texts in values.items()})
    if not misspelt:
        return chosen
    typo = st.dictionaries(st.sampled_from(_MISSPELT), st.just("30"), max_size=1)
    return st.builds(lambda options, extra: {**options, **extra}, chosen, st.one_of(st.just({}), st.just({}), typo))


def _arguments(name: str, options: Mapping[str, str], *extra: str) -> str:
    stated = [f"{key}={value}" for key, value in options.items()]
    return ", ".join([f"name={name!r}", "shared=False", *stated, *extra])


_FUNCTION = "def declared(order_id: int) -> None: ...\n\n\n"


def _decorated(name: str, options: Mapping[str, str], *extra: str, by: str = "app.task", between: str = "") -> str:
    return f"@{by}({_arguments(name, options, *extra)})\n{between}{_FUNCTION}TASK = declared\n"


def _body(options: Mapping[str, str]) -> str:
    return "".join(f"    {key} = {value}\n" for key, value in options.items())


def _class(name: str, options: Mapping[str, str], bases: str = "Root", before: str = "") -> str:
    return (
        f"{before}class Declared({bases}):\n    name = {name!r}\n{_body(options)}"
        "    def run(self, order_id: int) -> None: ...\n\n\nTASK = app.register_task(Declared())\n"
    )


def _without(options: Mapping[str, str], *names: str) -> dict[str, str]:
    return {key: value for key, value in options.items() if key not in names}


def _source(form: str, name: str, options: dict[str, str], inherited: dict[str, str]) -> str:
    base = f"class Base(Root):\n    abstract = True\n{_body(inherited)}\n\n"
    if form == "decorator":
        return _decorated(name, options)
    if form == "class":
        return _class(name, options)
    if form == "subclass":
        return _class(name, options, "Base", base)
    if form == "base option":
        return base + _decorated(name, options, "base=Base")
    if form == "mixin":
        return _class(name, options, "Mixin, Root")
    if form == "mixin of a base option":
        return f"{base}class Both(Mixin, Base):\n    abstract = True\n\n\n" + _decorated(name, options, "base=Both")
    if form == "star options":
        return _decorated(name, _without(options, "time_limit", "acks_late"), "**OPTIONS")
    if form == "merged star options":
        stated = ", ".join(f"{key}={value}" for key, value in options.items())
        return _decorated(name, {}, f"**{{**OPTIONS, **dict({stated})}}")
    if form == "wrapper":
        return _decorated(name, _without(options, "time_limit", "acks_late"), "limit=LIMIT", by="job")
    if form == "wrapper, given options":
        return _decorated(name, _without(options, "time_limit", "acks_late"), "late=ON", by="job")
    if form == "decorator class":
        return _decorated(name, options, by="Job")
    if form == "partial":
        return _decorated(name, _without(options, "time_limit"), by="functools.partial(app.task, time_limit=LIMIT)")
    if form == "pre-bound":
        return f"retrying = app.task({_arguments(name, options)})\n@retrying\n{_FUNCTION}TASK = declared\n"
    if form == "call":
        return f"{_FUNCTION}TASK = app.task({_arguments(name, options)})(declared)\n"
    if form == "another decorator":
        return _decorated(name, options, between="@logged\n")
    if form == "in a function":
        inner = _decorated(name, options).replace("\n\n\nTASK = declared\n", "\n").replace("\n", "\n    ")
        return f"def declare():\n    {inner.rstrip()}\n    return declared\n\n\nTASK = declare()\n"
    if form == "tuple assignment":
        pair = {"time_limit, soft_time_limit": "50, 40", "(acks_late, max_retries)": "PAIR"}
        return _class(name, options | pair, before="PAIR = False, 4\n\n\n")
    if form == "conditional":
        return _class(name, options | {"serializer": "'json'\n    if ON:\n        time_limit = 3"})
    if form == "conditional on the unknown":
        return _class(name, options | {"serializer": "'json'\n    if HIDDEN > 3:\n        time_limit = 3"})
    if form == "walrus":
        return _class(name, options | {"note": "(soft_time_limit := 5)"})
    if form == "changed later":
        return _class(name, options).replace("TASK =", "Declared.max_retries = 8\nTASK =")
    if form == "app.Task":
        return f"{base}app.Task = Base\n\n\n" + _decorated(name, options)
    raise ValueError(form)


_LITERAL_FORMS = ("decorator", "class", "subclass")
_OTHER_FORMS = (
    "base option",
    "mixin",
    "mixin of a base option",
    "star options",
    "merged star options",
    "wrapper",
    "wrapper, given options",
    "decorator class",
    "partial",
    "pre-bound",
    "call",
    "another decorator",
    "in a function",
    "tuple assignment",
    "conditional",
    "conditional on the unknown",
    "walrus",
    "changed later",
    "app.Task",
)


@st.composite
def _declarations(
    draw: st.DrawFn, forms: tuple[str, ...], values: Mapping[str, tuple[str, ...]], *, misspelt: bool
) -> Declaration:
    name = f"generated.task_{next(_numbers)}"
    options = draw(_options(values, misspelt=misspelt))
    inherited = draw(_options(values, misspelt=False))
    form = draw(st.sampled_from(forms))
    return Declaration(name, _PREAMBLE + _source(form, name, options, inherited), options)


def declarations() -> st.SearchStrategy[Declaration]:
    """Every form, with values that can be read and values that cannot, sometimes with a typo."""
    both = {name: texts + _COMPUTED.get(name, ()) for name, texts in _LITERAL.items()}
    return _declarations(_LITERAL_FORMS + _OTHER_FORMS, both, misspelt=True)


def literal_declarations() -> st.SearchStrategy[Declaration]:
    """Forms and values that the reader must be able to read completely."""
    return _declarations(_LITERAL_FORMS, _LITERAL, misspelt=False)


def configurations() -> st.SearchStrategy[str]:
    """Statements that configure ``app``."""
    return st.sampled_from(_CONFIGURATIONS)
