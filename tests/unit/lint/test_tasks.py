"""What the reader of task declarations reads, and what it leaves UNKNOWN."""

from __future__ import annotations

import pytest

from safecelery.lint.model.tasks import read_tasks
from safecelery.policy import UNKNOWN
from safecelery.policy.defaults import CELERY_DEFAULTS, SAFETASK_DEFAULTS
from safecelery.policy.facts import TaskFacts

IMPORT = "from safecelery import SafeTask\n"
RUN = "    def run(self): ...\n"


def read(source: str, **settings: object) -> list[TaskFacts]:
    return read_tasks(source, "shop/tasks.py", {**CELERY_DEFAULTS, **settings})


def read_one(source: str, **settings: object) -> TaskFacts:
    (facts,) = read(source, **settings)
    return facts


def a_class(body: str, bases: str = "SafeTask", before: str = IMPORT) -> str:
    return f"{before}class Charge({bases}):\n{body}{RUN}"


class TestDecorators:
    @pytest.mark.parametrize(
        "decorator", ["app.task", "app.task()", "shared_task", "shared_task()", "celery.shared_task", "proj.app.task()"]
    )
    def test_without_options_a_task_has_the_defaults_of_safetask(self, decorator: str) -> None:
        facts = read_one(f"@{decorator}\ndef charge(): ...\n")
        assert (facts.name, str(facts.where)) == ("shop.tasks.charge", "shop/tasks.py:2")
        for option, value in SAFETASK_DEFAULTS.items():
            assert getattr(facts, option) == value
        assert facts.unknown_options == ()

    def test_stated_options_are_read(self) -> None:
        facts = read_one(
            "@app.task(name='pay', time_limit=2 * 60, soft_time_limit=-1.5, retry_jitter=False)\ndef f(): ..."
        )
        assert (facts.name, facts.time_limit, facts.soft_time_limit) == ("pay", 120, -1.5)
        assert facts.retry_jitter is False

    def test_an_async_function_is_read_like_any_other(self) -> None:
        assert read_one("@app.task(time_limit=9)\nasync def f(): ...").time_limit == 9

    def test_other_decorators_are_no_tasks(self) -> None:
        assert (
            read("@app.get\ndef f(): ...\n@cache\ndef g(): ...\n@registry['task']()\ndef h(): ...\ndef i(): ...\n")
            == []
        )

    def test_the_task_decorator_is_found_among_others(self) -> None:
        assert read_one("@log\n@app.task(time_limit=9)\n@cache\ndef f(): ...").time_limit == 9

    def test_nested_and_conditional_declarations_are_found_in_order(self) -> None:
        source = "if X:\n    @app.task\n    def one(): ...\ndef make():\n    @app.task\n    def two(): ...\n"
        assert [facts.name for facts in read(source)] == ["shop.tasks.one", "shop.tasks.two"]

    @pytest.mark.parametrize("options", ["**OPTIONS", "base=Other", "make_it"])
    def test_what_cannot_be_seen_makes_the_rest_unknown(self, options: str) -> None:
        source = f"@app.task({options})\ndef f(): ..." if "=" not in options and "*" not in options else (
            f"@app.task(time_limit=9, {options})\ndef f(): ..."
        )  # fmt: skip
        facts = read_one(source)
        assert (facts.acks_late, facts.unknown_options) == (UNKNOWN, UNKNOWN)
        assert facts.time_limit == (UNKNOWN if options == "make_it" else 9)

    def test_base_none_is_no_base(self) -> None:
        assert read_one("@app.task(base=None)\ndef f(): ...").acks_late is True

    def test_a_misspelt_option_is_listed(self) -> None:
        assert read_one("@app.task(time_limt=9, zzz=1)\ndef f(): ...").unknown_options == ("time_limt", "zzz")

    def test_a_member_of_the_class_as_option_is_left_open(self) -> None:
        assert read_one("@app.task(Request=R, time_limt=9)\ndef f(): ...").unknown_options is UNKNOWN


class TestClasses:
    def test_a_class_and_what_it_inherits(self) -> None:
        source = a_class("    time_limit, soft_time_limit = 30, 25\n    name: str = 'pay'\n    acks_late: bool\n")
        facts = read_one(source)
        assert (facts.name, facts.time_limit, facts.soft_time_limit, facts.acks_late) == ("pay", 30, 25, True)

    @pytest.mark.parametrize("base", ["SafeTask", "SafeTask[int, str]"])
    def test_a_base_of_the_same_module_is_followed(self, base: str) -> None:
        source = f"{IMPORT}class Base({base}):\n    time_limit = 30\n{RUN}class Charge(Base):\n    max_retries = 1\n"
        charge = read(source)[1]
        assert (charge.time_limit, charge.max_retries) == (30, 1)

    def test_a_class_without_run_is_a_base_and_no_task(self) -> None:
        assert read(f"{IMPORT}class Base(SafeTask):\n    '''Doc.'''\n    pass\n") == []

    def test_other_classes_are_no_tasks(self) -> None:
        assert read(f"class A:\n{RUN}class B(Other):\n{RUN}class C(A):\n{RUN}class D(make()):\n{RUN}") == []

    @pytest.mark.parametrize(
        "source",
        [
            a_class("", bases="Mixin, SafeTask"),
            a_class("", bases="SafeTask, metaclass=Meta"),
            a_class("    if X:\n        time_limit = 3\n"),
            a_class("    OPTIONS['x'] = 1\n"),
            a_class("    note = (soft_time_limit := 5)\n"),
            f"{IMPORT}@decorate\n{a_class('', before='')}",
            a_class("", before="class SafeTask(Task): ...\n").replace("Charge(SafeTask)", "Charge(other.SafeTask)"),
            a_class("", before="from elsewhere import SafeTask\n"),
            a_class("", before="from .safecelery import SafeTask\n"),
            a_class("", before="from safecelery import Other as SafeTask\n"),
            a_class("", before=f"{IMPORT}SafeTask = make(SafeTask)\n"),
            a_class("", before="from safecelery import *\n"),
            a_class("", bases="safecelery.SafeTask", before="import safecelery\n"),
        ],
    )
    def test_what_cannot_be_seen_makes_the_rest_unknown(self, source: str) -> None:
        facts = read(source)[-1]
        assert (facts.time_limit, facts.acks_late, facts.unknown_options) == (UNKNOWN, UNKNOWN, UNKNOWN)

    def test_an_assignment_after_something_unclear_counts_again(self) -> None:
        facts = read_one(a_class("    acks_late = True\n    setup()\n    time_limit = 9\n"))
        assert (facts.acks_late, facts.time_limit) == (UNKNOWN, 9)

    @pytest.mark.parametrize("body", ["    time_limit, soft_time_limit = PAIR\n", "    (time_limit, *rest) = 1, 2\n"])
    def test_unpacking_something_unclear_leaves_its_names_unknown(self, body: str) -> None:
        facts = read_one(a_class(body))
        assert facts.time_limit is UNKNOWN
        assert facts.acks_late is True

    def test_a_property_may_stand_for_any_value(self) -> None:
        assert read_one(a_class("    @property\n    def time_limit(self): ...\n")).time_limit is UNKNOWN

    def test_a_misspelt_attribute_is_listed_and_inherited(self) -> None:
        source = f"{IMPORT}class Base(SafeTask):\n    max_retrys = 3\n    currency = 'EUR'\n{a_class('', 'Base', '')}"
        assert read_one(source).unknown_options == ("max_retrys",)

    def test_a_name_bound_twice_may_mean_either_class(self) -> None:
        source = f"{a_class('    time_limit = 1')}\n".replace("1    def", "1\n    def")
        twice = f"{source}class Charge(SafeTask):\n    time_limit = 2\n{RUN}class Late(Charge):\n    max_retries = 1\n"
        assert [facts.time_limit for facts in read(twice)] == [1, 2, UNKNOWN]


class TestFallbacks:
    def test_none_falls_back_to_the_apps_setting(self) -> None:
        source = "@app.task(acks_late=None, serializer=None)\ndef f(): ..."
        facts = read_one(source, task_time_limit=60, task_acks_late=True, task_serializer="yaml")
        assert (facts.time_limit, facts.acks_late, facts.serializer) == (60, True, "yaml")

    def test_none_is_a_value_where_celery_asks_no_setting(self) -> None:
        assert read_one("@app.task(max_retries=None)\ndef f(): ...").max_retries is None

    def test_a_setting_nobody_gave_is_unknown(self) -> None:
        (facts,) = read_tasks("@app.task\ndef f(): ...", "t.py", {"task_annotations": None})
        assert (facts.time_limit, facts.acks_late) == (UNKNOWN, True)

    @pytest.mark.parametrize("annotations", [{"*": {"acks_late": False}}, UNKNOWN])
    def test_annotations_may_override_everything(self, annotations: object) -> None:
        facts = read_one("@app.task(time_limit=9, unknwn=1)\ndef f(): ...", task_annotations=annotations)
        assert {facts.time_limit, facts.max_retries, facts.autoretry_for, facts.unknown_options} == {UNKNOWN}

    @pytest.mark.parametrize(
        "meddling",
        ["f.time_limit = 5", "setattr(f, name, 5)", "del f.acks_late", "vars(f)['acks_late'] = 0", "app.Task = X"],
    )
    def test_code_that_reaches_into_tasks_makes_all_of_them_unknown(self, meddling: str) -> None:
        assert read_one(f"@app.task(time_limit=9)\ndef f(): ...\n{meddling}\n").time_limit is UNKNOWN

    def test_other_attributes_may_be_set(self) -> None:
        assert read_one("@app.task(time_limit=9)\ndef f():\n    order.total = 5\n").time_limit == 9


class TestRetries:
    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ("{'max_retries': 7}", 7),
            ("{'countdown': 5}", 3),
            ("{'max_retries': N}", UNKNOWN),
            ("{**MORE}", UNKNOWN),
            ("{KEY: 7}", UNKNOWN),
            ("dict(max_retries=7)", UNKNOWN),
        ],
    )
    def test_retry_kwargs_decide_the_number(self, given: str, expected: object) -> None:
        assert read_one(f"@app.task(max_retries=3, retry_kwargs={given})\ndef f(): ...").max_retries == expected

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ("()", ()),
            ("(IOError, KeyError)", ("builtins.OSError", "builtins.KeyError")),
            ("[ValueError]", ("builtins.ValueError",)),
            ("(requests.Timeout, print, Nowhere)", (UNKNOWN, UNKNOWN, UNKNOWN)),
            ("(*MORE,)", UNKNOWN),
            ("MORE", UNKNOWN),
        ],
    )
    def test_exceptions_are_named_where_that_is_certain(self, given: str, expected: object) -> None:
        assert read_one(f"@app.task(autoretry_for={given})\ndef f(): ...").autoretry_for == expected

    @pytest.mark.parametrize(
        "binding",
        [
            "from x import KeyError",
            "import KeyError.y",
            "from x import *",
            "class KeyError(Exception): ...",
            "def KeyError(): ...",
            "def g(KeyError): ...",
            "KeyError = 1",
            "for KeyError in x: ...",
        ],
    )
    def test_a_builtin_that_the_module_binds_is_not_certain(self, binding: str) -> None:
        source = f"{binding}\n@app.task(autoretry_for=(KeyError,))\ndef f(): ..."
        assert read_one(source).autoretry_for == (UNKNOWN,)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1_000", 1000),
        ("'30'", "30"),
        ("None if X else 1", UNKNOWN),
        ("3 + 4 - 5", 2),
        ("'a' * 3", UNKNOWN),
        ("2 ** 10", UNKNOWN),
        ("7 / 2", UNKNOWN),
        ("-'x'", UNKNOWN),
        ("not True", UNKNOWN),
        ("LIMIT + 1", UNKNOWN),
        ("1 + LIMIT", UNKNOWN),
        (f"{10**400} * 1.5", UNKNOWN),
        (f"{10**400} + 1.5", UNKNOWN),
    ],
)
def test_values_are_read_only_if_nothing_need_run(text: str, value: object) -> None:
    assert read_one(f"@app.task(retry_backoff={text})\ndef f(): ...").retry_backoff == value


@pytest.mark.parametrize(
    ("path", "module"),
    [("tasks.py", "tasks"), ("./shop/tasks.py", "shop.tasks"), ("/srv/shop/__init__.py", "srv.shop")],
)
def test_the_path_names_the_module(path: str, module: str) -> None:
    (facts,) = read_tasks("@app.task\ndef f(): ...", path, CELERY_DEFAULTS)
    assert facts.name == f"{module}.f"


@pytest.mark.parametrize("source", ["def f(:", "\0"])
def test_what_is_no_python_is_refused(source: str) -> None:
    with pytest.raises((SyntaxError, ValueError)):
        read(source)
