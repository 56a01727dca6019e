"""Generated task declarations: source text in every form the reader of tasks must cope with."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import strategies as st

__all__ = ["Declaration", "declarations", "literal_declarations"]

# Each option with values as source text. Literal ones can be read; the others need the module to run.
_LITERAL: Mapping[str, tuple[str, ...]] = {
    "time_limit": ("30", "3600", "4000", "0", "-1", "True", "None", "2 * 60", "1e999", "'30'", "0.5"),
    "soft_time_limit": ("25", "30", "3599", "0", "False", "None", "30 - 5", "-2.5"),
    "acks_late": ("True", "False", "None", "1"),
    "reject_on_worker_lost": ("True", "False", "None"),
    "retry_on_worker_lost": ("True", "False", "None"),
    "serializer": ("'json'", "'pickle'", "None"),
    "autoretry_for": ("()", "(ConnectionError,)", "[OSError, KeyError]", "(IOError,)"),
    "retry_backoff": ("True", "False", "2", "0", "1.5"),
    "retry_backoff_max": ("600", "0", "-1", "7200", "True"),
    "retry_jitter": ("True", "False"),
    "max_retries": ("3", "0", "-1", "11", "None", "True", "2.5"),
    "retry_kwargs": ("{'max_retries': 2}", "{'max_retries': None}", "{'countdown': 5}", "{}"),
    "ignore_result": ("True",),
}
_COMPUTED: Mapping[str, tuple[str, ...]] = {
    "time_limit": ("LIMIT", "max(10, 20)", "int('40')"),
    "soft_time_limit": ("LIMIT", "LIMIT - 1"),
    "acks_late": ("not True", "ON"),
    "reject_on_worker_lost": ("ON",),
    "retry_on_worker_lost": ("ON",),
    "serializer": ("FORMAT",),
    "autoretry_for": ("EXCEPTIONS", "(Gone,)", "(*EXCEPTIONS, KeyError)", "(ConnectionError, Shadowed)"),
    "retry_backoff": ("ON",),
    "retry_backoff_max": ("LIMIT",),
    "retry_jitter": ("ON",),
    "max_retries": ("len('ab')",),
    "retry_kwargs": ("dict(max_retries=None)", "{**MORE}", "{KEY: 12}"),
}
_MISSPELT = ("time_limt", "soft_timelimit", "max_retrys")

_PREAMBLE = """\
from safecelery import SafeTask

LIMIT, ON, FORMAT, KEY = 45, True, "yaml", "max_retries"
EXCEPTIONS = (OSError,)
MORE = {"max_retries": 99}
OPTIONS = {"time_limit": 77, "acks_late": False}


class Gone(Exception):
    pass


class Shadowed(Exception):
    pass


class Mixin:
    soft_time_limit = 12
    max_retries = None


"""

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


def _decorated(name: str, options: Mapping[str, str], extra: str = "") -> str:
    stated = ", ".join(f"{key}={value}" for key, value in options.items())
    text = ", ".join(part for part in (f"name={name!r}", "shared=False", stated, extra) if part)
    return f"@app.task({text})\ndef declared(order_id: int) -> None: ...\n\n\nTASK = declared\n"


def _body(options: Mapping[str, str]) -> str:
    return "".join(f"    {key} = {value}\n" for key, value in options.items())


def _class(name: str, options: Mapping[str, str], bases: str = "SafeTask", before: str = "") -> str:
    return (
        f"{before}class Declared({bases}):\n    name = {name!r}\n{_body(options)}"
        "    def run(self, order_id: int) -> None: ...\n\n\nTASK = app.register_task(Declared())\n"
    )


def _source(form: str, name: str, options: dict[str, str], inherited: dict[str, str]) -> str:
    base = f"class Base(SafeTask):\n    abstract = True\n{_body(inherited)}\n\n"
    stated = dict(options)
    if form == "decorator":
        return _decorated(name, options)
    if form == "class":
        return _class(name, options)
    if form == "subclass":
        return _class(name, options, "Base", base)
    if form == "base option":
        return base + _decorated(name, options, "base=Base")
    if form == "mixin":
        return _class(name, options, "Mixin, SafeTask")
    if form == "star options":
        return _decorated(name, {k: v for k, v in stated.items() if k not in ("time_limit", "acks_late")}, "**OPTIONS")
    if form == "tuple assignment":
        pair = {"time_limit, soft_time_limit": "50, 40", "(acks_late, max_retries)": "PAIR"}
        return _class(name, options | pair, before="PAIR = False, 4\n\n\n")
    if form == "conditional":
        return _class(name, options | {"serializer": "'json'\n    if ON:\n        time_limit = 3"})
    if form == "walrus":
        return _class(name, options | {"note": "(soft_time_limit := 5)"})
    if form == "changed later":
        return _class(name, options).replace("TASK =", "Declared.max_retries = 8\nTASK =")
    raise ValueError(form)


_LITERAL_FORMS = ("decorator", "class", "subclass")
_OTHER_FORMS = (
    "base option",
    "mixin",
    "star options",
    "tuple assignment",
    "conditional",
    "walrus",
    "changed later",
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
