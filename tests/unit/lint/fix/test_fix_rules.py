"""What each fixer writes, and where it leaves the code alone."""

from __future__ import annotations

from inspect import getsource

import pytest

from safecelery.lint.finding import Because
from safecelery.lint.fix.rules.names import meant
from safecelery.lint.fix.table import FIXERS, SAFE, SOMETIMES_SAFE, fixer_of, option_for
from safecelery.policy.rules import BY_CODE
from safecelery.policy.vocabulary import TASK_OPTIONS
from tests.unit.lint.fix.fix_builders import fixed, fixed_bytes, found

F = "def charge(self): ...\n"


def test_every_entry_of_the_table_is_a_rule_and_a_function() -> None:
    assert set(FIXERS) <= set(BY_CODE)
    for code in FIXERS:
        assert fixer_of(code)


def test_a_report_names_the_option_that_makes_the_fix() -> None:
    for code in FIXERS:
        source = getsource(fixer_of(code))
        safe, unsafe = "safe=True" in source or "safe=safe" in source, "safe=False" in source or "safe=safe" in source
        assert (safe and not unsafe, safe and unsafe) == (code in SAFE, code in SOMETIMES_SAFE), code
    assert option_for("SFC605") == "--fix"
    assert option_for("SFC901") == "--fix or --unsafe-fixes"
    assert option_for("SFC401") == "--unsafe-fixes"


class TestAddingAnOption:
    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("@shared_task\n", "@shared_task(time_limit=1800)\n"),
            ("@app.task  # hot\n", "@app.task(time_limit=1800)  # hot\n"),
            ("@app.task()\n", "@app.task(time_limit=1800)\n"),
            ("@app.task(bind=True)\n", "@app.task(bind=True, time_limit=1800)\n"),
            ("@app.task(bind=True,)\n", "@app.task(bind=True, time_limit=1800,)\n"),
            ("@app.task(\n    bind=True,\n)\n", "@app.task(\n    bind=True,\n    time_limit=1800,\n)\n"),
            ("@app.task(\n    bind=True\n)\n", "@app.task(\n    bind=True,\n    time_limit=1800\n)\n"),
            (
                "@app.task(\n\tbind=True,  # self\n\t# end\n)\n",
                "@app.task(\n\tbind=True,  # self\n\ttime_limit=1800,\n\t# end\n)\n",
            ),
            (
                "@app.task(\n    name='\u00e9\U0001f600'  # a, b\n)\n",
                "@app.task(\n    name='\u00e9\U0001f600',  # a, b\n    time_limit=1800\n)\n",
            ),
            (
                "@app.task(bind=True,\n          name='x')\n",
                "@app.task(bind=True,\n          name='x', time_limit=1800)\n",
            ),
            ("@app.task(\n)\n", "@app.task(time_limit=1800\n)\n"),
            ("@(app.task)\n", "@(app.task(time_limit=1800))\n"),
            ("@app.task(time_limit=None)\n", "@app.task(time_limit=1800)\n"),
            ("@app.task(name=(lambda: ')')())\n", "@app.task(name=(lambda: ')')(), time_limit=1800)\n"),
        ],
    )
    def test_keeps_the_form_of_the_decorator(self, before: str, after: str) -> None:
        assert fixed(before + F, found("SFC401")) == after + F

    @pytest.mark.parametrize(
        "decorator",
        ["@app.task(**OPTIONS)\n", "@app.task(time_limit=LIMIT)\n", "@job\n", "@app.task(time_limit=600)\n"],
    )
    def test_leaves_alone_what_it_cannot_see_through(self, decorator: str) -> None:
        assert fixed(decorator + F, found("SFC401")) == decorator + F

    def test_follows_an_alias_of_the_import(self) -> None:
        text = "from celery import shared_task as job\n@job\n"
        assert fixed(text + F, found("SFC401", 2)) == text.replace("@job", "@job(time_limit=1800)") + F

    def test_to_a_class_is_a_line_below_its_head_or_docstring(self) -> None:
        assert fixed("class A(Task):  # c\n\tname = 'x'\n", found("SFC401")) == (
            "class A(Task):  # c\n\ttime_limit = 1800\n\tname = 'x'\n"
        )
        assert (
            fixed("class A(Task):\r\n  '''d'''", found("SFC401"))
            == "class A(Task):\r\n  '''d'''\r\n  time_limit = 1800"
        )
        assert fixed("class A(Task):\n  @p\n  def run(self): ...\n", found("SFC401")) == (
            "class A(Task):\n  time_limit = 1800\n  @p\n  def run(self): ...\n"
        )
        assert fixed("class A(Task): pass\n", found("SFC401")) == "class A(Task): pass\n"

    def test_the_soft_limit_follows_the_hard_one_in_the_next_pass(self) -> None:
        done = fixed_bytes(b"@app.task\ndef f(): ...\n", found("SFC402"), found("SFC401"))
        assert done.source.text == "@app.task(time_limit=1800, soft_time_limit=1620)\ndef f(): ...\n"
        assert [finding.code for finding in done.fixed] == ["SFC402", "SFC401"]
        assert fixed("@app.task\n" + F, found("SFC402")) == "@app.task\n" + F


class TestMisspeltOptions:
    @pytest.mark.parametrize(
        ("name", "right"),
        [
            ("ignore_results", "ignore_result"),
            ("max_retry", "max_retries"),
            ("time_limt", "time_limit"),
            ("task_soft_time_limit", "soft_time_limit"),
            ("CELERY_acks_late", "acks_late"),
            ("retry_backof", "retry_backoff"),
            ("interval_start", None),
            ("timeout", None),
            ("verbose_name", None),
        ],
    )
    def test_are_meant_as_one_option_or_none(self, name: str, right: str | None) -> None:
        assert meant(name, TASK_OPTIONS) == right

    def test_are_renamed_only_if_the_rule_complains_of_them(self) -> None:
        text = "@app.task(time_limt=30, max_retry=5)\n" + F
        assert fixed(text, found("SFC901", 1, "has 'max_retry'"), unsafe=False) == text.replace("retry=", "retries=")

    def test_are_dropped_where_the_right_one_stands(self) -> None:
        text = "@app.task(\n    task_time_limit=60,\n    time_limit=30,\n)\n" + F
        assert fixed(text, found("SFC901", 1, "'task_time_limit'"), unsafe=False) == (
            "@app.task(\n    time_limit=30,\n)\n" + F
        )

    def test_taking_results_away_is_not_safe(self) -> None:
        text = "@app.task(ignore_results=True)\n" + F
        done = fixed_bytes(text.encode(), found("SFC901", 1, "'ignore_results'"), unsafe=False)
        assert (done.source.text, len(done.unsafe), done.fixed) == (text, 1, ())
        assert "ignore_result=True" in fixed(text, found("SFC901", 1, "'ignore_results'"))

    def test_a_finding_of_which_a_part_is_unsafe_is_not_counted_as_fixed(self) -> None:
        text = "@app.task(ignore_results=True, max_retry=5)\n" + F
        done = fixed_bytes(text.encode(), found("SFC901", 1, "'ignore_results', 'max_retry'"), unsafe=False)
        assert "(ignore_results=True, max_retries=5)" in done.source.text
        assert (done.fixed, len(done.unsafe)) == ((), 1)

    def test_in_classes_and_calls(self) -> None:
        text = "class A(Task):\n    max_retrys = 3\n"
        assert fixed(text, found("SFC901", 1, "'max_retrys'"), unsafe=False) == text.replace("retrys", "retries")
        call = "charge.apply_async(args=(1,), countdwn=5)\n"
        assert fixed(call, found("SFC902", 1, "'countdwn'"), unsafe=False) == call.replace("dwn", "down")


class TestLimitsAndRetries:
    @pytest.mark.parametrize(
        ("code", "before", "after", "safe"),
        [
            ("SFC404", "time_limit=30, soft_time_limit=2 * 30", "time_limit=2 * 30, soft_time_limit=30", True),
            ("SFC401", "soft_time_limit=2000", "soft_time_limit=2000, time_limit=3600", False),
            ("SFC404", "time_limit=60, soft_time_limit=60", "time_limit=60, soft_time_limit=54", False),
            ("SFC405", "time_limit=7200, soft_time_limit=7000", "time_limit=3600, soft_time_limit=3240", False),
            ("SFC406", "time_limit=3600, soft_time_limit=3599", "time_limit=3600, soft_time_limit=3570", False),
            ("SFC501", "acks_late=False", "acks_late=True", False),
            ("SFC502", "acks_late=True", "acks_late=True, reject_on_worker_lost=True", False),
            ("SFC601", "max_retries=None", "max_retries=10", False),
            ("SFC601", "retry_kwargs={'max_retries': None}", "retry_kwargs={'max_retries': 10}", False),
            ("SFC603", "max_retries=99", "max_retries=10", False),
            ("SFC604", "retry_backoff=False", "retry_backoff=True", False),
            ("SFC616", "retry_kwargs={'countdown': 5, 'max_retries': 3}", "retry_kwargs={'max_retries': 3}", True),
            ("SFC605", "retry_jitter=False", "retry_jitter=True", True),
            ("SFC607", "retry_backoff_max=9000", "retry_backoff_max=600", False),
            ("SFC106", "serializer='pickle'", "serializer='json'", False),
        ],
    )
    def test_of_a_task(self, code: str, before: str, after: str, safe: bool) -> None:
        text = f"@app.task({before})\n" + F
        assert fixed(text, found(code)) == f"@app.task({after})\n" + F
        assert (fixed(text, found(code), unsafe=False) != text) is safe

    @pytest.mark.parametrize(
        ("code", "options"),
        [
            ("SFC404", "time_limit=HARD, soft_time_limit=60"),
            ("SFC404", "time_limit=30, soft_time_limit=99999"),
            ("SFC603", "max_retries=5"),
            ("SFC603", "retry_kwargs=KWARGS"),
            ("SFC106", "serializer=NAME"),
            ("SFC615", "retry_kwargs=KWARGS"),
        ],
    )
    def test_that_cannot_be_told_or_is_right_is_left_alone(self, code: str, options: str) -> None:
        text = f"@app.task({options})\n" + F
        assert fixed(text, found(code, 1, "'retry_jitter'")) == text

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("retry_kwargs={'max_retries': 3, 'retry_jitter': True}", "retry_kwargs={'max_retries': 3}"),
            (
                "retry_kwargs={'retry_jitter': False, 'max_retries': 3}",
                "retry_kwargs={'max_retries': 3}, retry_jitter=False",
            ),
            ("retry_jitter=True, retry_kwargs={'retry_jitter': False}", "retry_jitter=True, retry_kwargs={}"),
        ],
    )
    def test_what_stands_in_retry_kwargs_in_vain_moves_out(self, before: str, after: str) -> None:
        text = f"@app.task({before})\n" + F
        assert fixed(text, found("SFC615", 1, "'retry_jitter' belongs"), unsafe=False) == f"@app.task({after})\n" + F

    def test_of_a_call(self) -> None:
        text = "charge.apply_async(\n    args=(1,),\n    time_limit=None,  # never\n    retries=3,\n)\n"
        assert fixed(text, found("SFC408"), found("SFC609")) == (
            "charge.apply_async(\n    args=(1,),\n    # never\n)\n"
        )
        call = 'charge.apply_async(serializer="pickle")\n'
        assert fixed(call, found("SFC107")) == call.replace("pickle", "json")


class TestSettings:
    @pytest.mark.parametrize(
        ("code", "before", "after"),
        [
            ("SFC101", "CELERY_TASK_SERIALIZER = 'pickle'\n", "CELERY_TASK_SERIALIZER = 'json'\n"),
            ("SFC104", 'accept_content = ["json", "pickle"]\n', 'accept_content = ["json"]\n'),
            ("SFC104", "conf.accept_content = ('pickle',)\n", "conf.accept_content = ('json',)\n"),
            ("SFC202", "x = {'ssl_cert_reqs': ssl.CERT_NONE}\n", "x = {'ssl_cert_reqs': ssl.CERT_REQUIRED}\n"),
            ("SFC202", "x = {'ssl_cert_reqs': 'none'}\n", "x = {'ssl_cert_reqs': 'required'}\n"),
            (
                "SFC202",
                "u = 'rediss://h?ssl_cert_reqs=CERT_NONE&a=1'\n",
                "u = 'rediss://h?ssl_cert_reqs=required&a=1'\n",
            ),
            ("SFC104", "accept_content = ['json', OTHER, 'yaml']\n", "accept_content = ['json', OTHER, 'yaml']\n"),
            ("SFC104", "a = [\n 'pickle',  # old\n]\n", "a = [\n 'pickle',  # old\n]\n"),
        ],
    )
    def test_are_never_changed_as_safe(self, code: str, before: str, after: str) -> None:
        assert fixed(before, found(code)) == after
        assert fixed(before, found(code), unsafe=False) == before

    def test_are_found_through_the_evidence(self) -> None:
        text = "import a\n\n\nTASK_SERIALIZER = 'yaml'\n"
        because = (Because("shop/tasks.py", 4, "TASK_SERIALIZER"), Because("other.py", 1, "x"))
        assert fixed(text, found("SFC101", because=because)) == text.replace("yaml", "json")


class TestCode:
    def test_http_calls_get_a_timeout(self) -> None:
        message = "calls over HTTP without a timeout (requests.get without timeout)"
        text = "def f():\n    return requests.get(data.get(u), headers={}).json()\n"
        assert fixed(text, found("SFC730", 2, message)) == text.replace("headers={}", "headers={}, timeout=10")
        two = "x = requests.get(a), requests.get(b)\n"
        assert fixed(two, found("SFC730", 1, message)) == two

    def test_checks_that_were_switched_off_come_back(self) -> None:
        text = "c.set_missing_host_key_policy(paramiko.AutoAddPolicy())\n"
        assert fixed(text, found("SFC770")) == text.replace("AutoAdd", "Reject")
        assert fixed("requests.get(u, verify=False, timeout=3)\n", found("SFC771")) == "requests.get(u, timeout=3)\n"


class TestRequirements:
    MESSAGE = "is a version with a known hole (CVE-1, fixed in 5.2.2: x; CVE-2, fixed in 5.3: y)"

    @pytest.mark.parametrize(
        ("path", "before", "after"),
        [
            ("requirements.txt", "celery==5.1.2\n", "celery==5.3\n"),
            ("requirements.in", "celery[redis] == 5.1.2 ; a  # b\n", "celery[redis] == 5.3 ; a  # b\n"),
            ("pyproject.toml", 'd = ["celery==5.1.2", "redis==4.0"]\n', 'd = ["celery==5.3", "redis==4.0"]\n'),
            ("requirements.txt", "celery==5.1.2 --hash=sha256:x\n", "celery==5.1.2 --hash=sha256:x\n"),
            ("requirements.txt", "django-celery==5.1.2\n", "django-celery==5.1.2\n"),
            ("requirements.txt", "celery>=5.1.2\n", "celery>=5.1.2\n"),
            ("poetry.lock", "celery==5.1.2\n", "celery==5.1.2\n"),
        ],
    )
    def test_pins_are_raised_to_the_fixed_version(self, path: str, before: str, after: str) -> None:
        finding = found("SFC980", 1, self.MESSAGE, path=path, subject="requirement celery")
        assert fixed(before, finding, python=False) == after
        assert fixed(before, finding, python=False, unsafe=False) == before
