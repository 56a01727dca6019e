"""The tables of names in ``shape``, against the installed Celery."""

from __future__ import annotations

from celery import Celery
from celery.app.task import Context

from safecelery.firewall.checks.shape import OWN_HEADERS, REQUEST_MEMBERS


def made_by_celery() -> set[str]:
    return set(Celery("plain", set_as_current=False).amqp.as_task_v2("1", "shop.charge", [], {}).headers)


def test_celery_makes_no_header_that_is_unknown_here() -> None:
    assert made_by_celery() <= OWN_HEADERS


def test_every_member_of_the_request_that_celery_does_not_send_as_a_header_is_reserved() -> None:
    members = {name for name in vars(Context) if not name.startswith("__")}
    assert members - OWN_HEADERS == REQUEST_MEMBERS
