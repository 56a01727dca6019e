"""What must not happen twice but does when a message is delivered again: counting, creating, charging, mailing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from safecelery.lint.code.body import Body, keyword
from safecelery.lint.code.names import last_name, spelled, words
from safecelery.lint.code.site import Site
from safecelery.lint.code.values import chain_of, is_none, is_true

__all__ = ["increment_and_save", "repeated_work"]

_STRIPE: Final = words("""
    Charge PaymentIntent Refund Transfer Payout Invoice InvoiceItem Subscription SetupIntent Order Topup
    SubscriptionSchedule CreditNote
    """)
_MAIL: Final = words("""
    django.core.mail.send_mail django.core.mail.send_mass_mail django.core.mail.mail_admins
    django.core.mail.mail_managers django.core.mail.EmailMessage().send django.core.mail.EmailMultiAlternatives().send
    django.core.mail.message.EmailMessage().send
    """)
_MESSAGES: Final = frozenset(("django.core.mail.EmailMessage", "django.core.mail.EmailMultiAlternatives"))
_GUARDS: Final = words(
    "get_or_create update_or_create select_for_update exists add setnx lock acquire aexists on_conflict_do_nothing"
)


def increment_and_save(body: Body) -> Iterator[Site]:
    """``x.count += 1`` and later ``x.save()``: two runs, or two workers, lose or double a count."""
    saved: dict[str, int] = {}
    for call in body.calls:
        func = call.node.func
        if call.attr in ("save", "asave") and isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name):
            saved[func.value.id] = max(call.node.lineno, saved.get(func.value.id, 0))
    if not saved:
        return
    for node in body.of(ast.AugAssign):
        target = node.target
        if isinstance(target, ast.Attribute) and isinstance(node.op, ast.Add | ast.Sub):
            yield from _increment(body, node, target, node.value, saved)
    for assign in body.of(ast.Assign):
        stored, value = assign.targets[0], assign.value
        if (
            isinstance(stored, ast.Attribute)
            and isinstance(value, ast.BinOp)
            and isinstance(value.op, ast.Add | ast.Sub)
            and isinstance(value.left, ast.Attribute)
            and spelled(value.left) == spelled(stored) != "..."
        ):
            yield from _increment(body, assign, stored, value.right, saved)


def _increment(
    body: Body, node: ast.stmt, target: ast.Attribute, by: ast.expr, saved: dict[str, int]
) -> Iterator[Site]:
    owner = target.value
    if not isinstance(owner, ast.Name) or saved.get(owner.id, 0) < node.lineno:
        return
    if not _is_number(body, by) or "select_for_update" in chain_of(body.value_of(owner)):
        return
    made = body.value_of(owner)
    if isinstance(made, ast.Call) and last_name(made)[:1].isupper():
        return  # made here: nobody else has it
    yield Site("increment-and-save", node, f"{spelled(target)} is read, changed and saved")


def _is_number(body: Body, node: ast.expr) -> bool:
    """Not a text, list or F() expression that is added."""
    value = body.value_of(node)
    if isinstance(value, ast.Constant):
        return isinstance(value.value, int | float) and not isinstance(value.value, bool)
    if isinstance(value, ast.Call):
        return last_name(value) in ("len", "int", "sum", "count", "round", "Decimal")
    return False


def repeated_work(body: Body) -> Iterator[Site]:
    """Creating, charging and mailing. Rows and mails count only in a task that visibly runs again."""
    again = _runs_again(body)
    guarded = any(call.attr in _GUARDS for call in body.calls) or _looks_at_sent(body)
    for call in body.calls:
        parts = call.name.split(".")
        if parts[0] == "stripe" and parts[-1] == "create" and _STRIPE.intersection(parts):
            open_ended = any(entry.arg is None for entry in call.node.keywords)
            key = keyword(call.node, "idempotency_key")
            if key is None or is_none(key):
                yield Site("charge-without-key", call.node, f"{call.name} without idempotency_key", not open_ended)
        elif not again or guarded:
            continue
        elif (
            call.attr in ("create", "acreate", "bulk_create") and _objects(call.node) and not _catches(body, call.node)
        ):
            if not is_true(keyword(call.node, "ignore_conflicts")) and not _rolled_back(body, call.node):
                yield Site("unguarded-create", call.node, f"{'.'.join(chain_of(call.node)[-3:])}() {again}")
        elif call.name in _MAIL or (call.attr == "send" and _is_message(body, call.node)):
            yield Site("mail-without-guard", call.node, f"{call.attr}() {again}")


def _rolled_back(body: Body, call: ast.Call) -> bool:
    """In an atomic block: what makes the task run again takes the row back, if it happens in there."""
    return any(
        isinstance(parent, ast.With) and any(last_name(item.context_expr) == "atomic" for item in parent.items)
        for _, parent in body.ancestors_here(call)
    )


def _objects(call: ast.Call) -> bool:
    chain = chain_of(call)
    return len(chain) >= 3 and chain[-2] == "objects"


def _is_message(body: Body, call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute):
        return False
    value = body.value_of(call.func.value)
    return isinstance(value, ast.Call) and body.names.resolve(value.func) in _MESSAGES


def _runs_again(body: Body) -> str:
    """What makes the task run again, in words; "" if nothing visible does."""
    for decorator in body.function.decorator_list:
        if isinstance(decorator, ast.Call):
            if is_true(keyword(decorator, "acks_late")):
                return "in a task with acks_late"
            if keyword(decorator, "autoretry_for") is not None:
                return "in a task that retries"
    return "in a task that retries" if any(_is_retry(call.node) for call in body.calls) else ""


def _is_retry(call: ast.Call) -> bool:
    func = call.func
    return isinstance(func, ast.Attribute) and func.attr == "retry" and isinstance(func.value, ast.Name)


def _catches(body: Body, node: ast.AST) -> bool:
    """Inside of a try that handles IntegrityError."""
    return any(
        isinstance(parent, ast.Try) and any("IntegrityError" in spelled(h.type) for h in parent.handlers if h.type)
        for _, parent in body.ancestors(node)
    )


def _looks_at_sent(body: Body) -> bool:
    """Some condition asks whether it was sent or done already."""
    tests = [*(node.test for node in body.of(ast.If)), *(node.test for node in body.of(ast.IfExp))]
    words = ("sent", "notified", "processed", "done", "completed", "delivered", "exists", "already", "status", "state")
    return any(
        isinstance(node, ast.Name | ast.Attribute) and any(word in last_name(node).lower() for word in words)
        for test in tests
        for node in ast.walk(test)
    )
