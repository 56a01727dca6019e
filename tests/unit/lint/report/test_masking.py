"""No secret gets through, what is none stays readable, and no text takes long."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecelery.lint.finding import LintResult
from safecelery.lint.report.masking import _BEGINNINGS, _LONG, _SHAPES, MASK, masked, masked_result
from tests.unit.lint.report.report_samples import finding

SECRET = "Tr0ub4dor"


@pytest.mark.parametrize(
    ("line", "python"),
    [
        ('app = Celery("shop", broker="redis://:Tr0ub4dor@redis/0")', True),
        ('BROKERS = "amqp://u:a@h1//;amqp://u:Tr0ub4dor@h2//"', True),
        ('BROKER = f"redis://{USER}:Tr0ub4dor@{HOST}/0"', True),
        ("CELERY_BROKER_URL=amqp://shop:Tr0ub4dor@rabbit:5672//", False),
        ("git+https://Tr0ub4dor@example.org/x.git", False),
        ("redis://:Tr0ub4dor@x@host/0", False),
        ('connect(password="Tr0ub4dor")', True),
        ("connect(password = b'Tr0ub4dor')", True),
        ('conf["db_password"] = "Tr0ub4dor"', True),
        ('{"api-key": "Tr0ub4dor"}', True),
        ('SECRET_KEY: str = "Tr0ub4dor"', True),
        ('os.getenv("REDIS_PASSWORD", "Tr0ub4dor")', True),
        ('SECRET_KEY = env.str("SECRET_KEY", default="Tr0ub4dor")', True),
        ('password = os.environ.get("X") or token or "Tr0ub4dor"', True),
        ('auth_token=SecretStr("Tr0ub4dor")', True),
        ('PASSWORD = """Tr0ub4dor', True),
        ("@app.task(time_limit=30)  # password=Tr0ub4dor", True),
        ('subprocess.run("redis-cli --password Tr0ub4dor")', True),
        ('"https://example.org/?token=Tr0ub4dor&x=1"', True),
        ("      - POSTGRES_PASSWORD=Tr0ub4dor", False),
        ("  password: Tr0ub4dor  # for now", False),
        ("command: celery flower --basic_auth=admin:Tr0ub4dor --port=5555", False),
        ("PASSWORD=${PASSWORD:-Tr0ub4dor}", False),
        ("Authorization: Bearer Tr0ub4dor123", False),
        ("-----BEGIN RSA PRIVATE KEY-----Tr0ub4dor", False),
    ],
)
def test_a_secret_is_masked(line: str, python: bool) -> None:
    assert SECRET in line
    assert SECRET not in masked(line, python=python)
    assert MASK in masked(line, python=python)


@pytest.mark.parametrize(
    ("line", "python"),
    [
        ('app = Celery("shop", broker=settings.BROKER_URL)', True),
        ("connect(password=settings.PASSWORD, token=token)", True),
        ('f"redis://:{PASSWORD}@{HOST}:6379/0"', True),
        ("broker amqp://guest:***@rabbit// is reached without TLS", False),
        ("amqp://guest@localhost//", False),
        ("DB_PASSWORD=${DB_PASSWORD}", False),
        ('os.environ["DB_PASSWORD"]', True),
        ("shop.tasks.reset_password has no hard time limit (time_limit is None)", False),
        ("the broker asks for no password: anybody may send", False),
        ("@shared_task(bind=True, autoretry_for=(TokenExpired,), max_retries=3)", True),
        ("@app.task(name='shop.accounts.rotate_tokens')", True),
        ("FROM python:3.13-slim", False),
    ],
)
def test_what_is_no_secret_stays(line: str, python: bool) -> None:
    assert masked(line, python=python) == line


@given(st.text(), st.booleans())
def test_masking_twice_changes_nothing_more(text: str, python: bool) -> None:
    once = masked(text, python=python)
    assert masked(once, python=python) == once


@given(st.text("abcXYZ0189!$^&*-_+", min_size=4).filter(lambda text: text.strip("*") and "***" not in text))
def test_no_password_of_a_url_gets_through(secret: str) -> None:
    text = masked(f"broker_url = 'rediss://svc:{secret}@redis.internal:6380/0'", python=True)
    assert text == "broker_url = 'rediss://svc:***@redis.internal:6380/0'" or secret.startswith("$")


@pytest.mark.parametrize(
    "text",
    [
        "password" * 500,
        "token" + " " * 3990,
        "pass" + "_pass" * 790,
        "://" * 1300 + "@" * 90,
        'password="' + "\\" * 3900,
        "password" + "]" * 3900,
        "password: " + "a " * 1900,
        "-----BEGIN PRIVATE KEY-----" * 140,
        "aA1+" * 1000,
        "x" * 1_000_000,
    ],
)
def test_a_hostile_text_takes_no_time(text: str) -> None:
    masked.cache_clear()
    start = time.process_time()
    masked(text)
    masked(text, python=True)
    assert time.process_time() - start < 1.0


def test_a_long_line_is_cut_without_showing_half_of_a_url() -> None:
    text = masked("x " * 1990 + "redis://:Tr0ub4dor" + "y" * 100 + "@host")
    assert SECRET not in text


def test_findings_that_differed_in_a_secret_only_are_still_told_apart() -> None:
    one = finding("SFC201", "broker", "a.py", 3, "redis://:one@host")
    two = replace(one, message=one.message.replace(":one@", ":two@"))
    result = masked_result(LintResult(findings=(one, two)))
    assert result.findings[0].message == result.findings[1].message
    assert result.findings[0].fingerprint != result.findings[1].fingerprint


def test_a_finding_without_a_secret_keeps_its_fingerprint() -> None:
    one = finding("SFC401", "shop.tasks.charge", "a.py", 3, "none is stated")
    assert masked_result(LintResult(findings=(one,))).findings[0].fingerprint == one.fingerprint


@given(st.from_regex(_SHAPES))
def test_what_is_looked_for_first_is_in_every_text_of_a_shape(text: str) -> None:
    assert _SHAPES.search(text)
    assert _LONG.search(text) or any(beginning in text for beginning in _BEGINNINGS)
