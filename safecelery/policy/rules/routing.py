"""5xx, queues and routes: a message arrives where somebody reads it, survives, and does not come back for ever."""

from __future__ import annotations

from collections.abc import Mapping

from safecelery.policy.broker import RABBITMQ
from safecelery.policy.facts import ABSENT, UNKNOWN, QueueFacts, RouteFacts, Stated, TaskFacts
from safecelery.policy.limits import Limits
from safecelery.policy.reading import first_unknown, is_on, shown, unreadable
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Verdict

__all__ = ["RULES"]


def _argument(queue: QueueFacts, name: str) -> Stated:
    return queue.arguments.get(name, ABSENT) if isinstance(queue.arguments, Mapping) else UNKNOWN


def _on_rabbitmq(queue: QueueFacts, verdict: Verdict) -> Verdict:
    """The verdict, unless the broker is none that has such queues."""
    if verdict is PASS or (queue.broker is not UNKNOWN and queue.broker not in RABBITMQ):
        return PASS
    return unreadable("the broker") if queue.broker is UNKNOWN else verdict


def _delivery_limit(queue: QueueFacts, _: Limits) -> Verdict:
    kind, most = _argument(queue, "x-queue-type"), _argument(queue, "x-delivery-limit")
    if kind is UNKNOWN or (kind == "quorum" and most is UNKNOWN):
        return _on_rabbitmq(queue, unreadable("the queue's arguments"))
    if kind is ABSENT or kind == "classic":
        return _on_rabbitmq(queue, Fail("a classic queue counts no deliveries"))
    if kind == "quorum" and most == -1:
        return _on_rabbitmq(queue, Fail("x-delivery-limit is -1"))
    return PASS


def _dead_letter(queue: QueueFacts, _: Limits) -> Verdict:
    route = _argument(queue, "x-dead-letter-exchange")
    if route is UNKNOWN:
        return _on_rabbitmq(queue, unreadable("the queue's arguments"))
    return _on_rabbitmq(queue, Fail("no x-dead-letter-exchange")) if route in (ABSENT, None) else PASS


def _durable(queue: QueueFacts, _: Limits) -> Verdict:
    if queue.durable is not UNKNOWN and not is_on(queue.durable):
        return _on_rabbitmq(queue, Fail(f"durable is {shown(queue.durable)}"))
    if queue.delivery_mode in (1, "1", "transient"):
        return _on_rabbitmq(queue, Fail(f"delivery_mode is {shown(queue.delivery_mode)}"))
    unread = first_unknown(durable=queue.durable, delivery_mode=queue.delivery_mode)
    return PASS if unread is None else _on_rabbitmq(queue, unread)


def _declared(route: RouteFacts, _: Limits) -> Verdict:
    if route.declared is True or route.created is True:
        return PASS
    return first_unknown(task_queues=route.declared, task_create_missing_queues=route.created) or Fail(
        f"task_queues does not name {shown(route.queue)}, and task_create_missing_queues is off"
        if isinstance(route.queue, str)
        else "task_queues does not name its queue, and task_create_missing_queues is off"
    )


def _consumed(route: RouteFacts, _: Limits) -> Verdict:
    if route.consumed is UNKNOWN:
        return unreadable("the queues that workers read")
    if route.consumed is not False:
        return PASS
    return Fail(f"queue {shown(route.queue)}" if isinstance(route.queue, str) else "its queue cannot be named")


def _matches(route: RouteFacts, _: Limits) -> Verdict:
    if route.matches is UNKNOWN:
        return unreadable("the list of tasks")
    return PASS if route.matches is not False else Fail(f"no task is called {shown(route.task)}")


def _routed_by_settings(task: TaskFacts, _: Limits) -> Verdict:
    if task.routing_options is UNKNOWN:
        return unreadable("the options of the declaration")
    stated = task.routing_options if isinstance(task.routing_options, tuple) else ()
    return Fail(", ".join(map(str, stated))) if stated else PASS


RULES = (
    Rule(
        code="SFC509",
        name="queue-without-delivery-limit",
        subject=QueueFacts,
        severity=Severity.MEDIUM,
        check=_delivery_limit,
        message="delivers a message that kills its worker again and again, without end",
        fix="declare it with queue_arguments={'x-queue-type': 'quorum', 'x-delivery-limit': 5}",
    ),
    Rule(
        code="SFC510",
        name="queue-without-dead-letter-route",
        subject=QueueFacts,
        severity=Severity.LOW,
        check=_dead_letter,
        message="drops a rejected message instead of keeping it for somebody to look at",
        fix="declare it with queue_arguments={'x-dead-letter-exchange': NAME}, or set that by a policy of the broker",
    ),
    Rule(
        code="SFC511",
        name="queue-not-durable",
        subject=QueueFacts,
        severity=Severity.HIGH,
        check=_durable,
        message="loses its messages when the broker restarts",
        fix="leave durable at True and delivery_mode at 2 (persistent)",
    ),
    Rule(
        code="SFC512",
        name="route-to-undeclared-queue",
        subject=RouteFacts,
        severity=Severity.HIGH,
        check=_declared,
        message="names a queue that does not exist, so every send raises QueueNotFound",
        fix="declare the queue in task_queues, or correct the name",
    ),
    Rule(
        code="SFC513",
        name="route-to-unread-queue",
        subject=RouteFacts,
        severity=Severity.HIGH,
        check=_consumed,
        message="sends to a queue that no worker reads",
        fix="add the queue to some worker's -Q, or correct the name",
    ),
    Rule(
        code="SFC514",
        name="route-matches-no-task",
        subject=RouteFacts,
        severity=Severity.LOW,
        check=_matches,
        message="applies to no task, so the task it was meant for goes to the default queue",
        fix="correct the name or pattern (it is matched against the full name, app.module.function), or remove it",
    ),
    Rule(
        code="SFC515",
        name="route-on-the-task",
        subject=TaskFacts,
        severity=Severity.LOW,
        check=_routed_by_settings,
        message="states its route in the declaration, which Celery 5.7 warns of and Celery 6 ignores",
        fix="move it to task_routes: {'shop.tasks.charge': {'queue': 'billing'}}",
    ),
)
