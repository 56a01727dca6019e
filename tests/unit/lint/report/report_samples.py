"""Results to render: a small one with everything in it, and one of the size of a real project."""

from __future__ import annotations

import random
from pathlib import Path

from safecelery.lint.finding import Because, Finding, LintResult, TaskRow, Unread
from safecelery.policy.document import Level
from safecelery.policy.rule import Severity

SOURCES = {
    "shop/tasks.py": (
        "from celery import shared_task\n\n\n"
        "@shared_task(soft_time_limit=25)\n"
        "def charge(order_id: int) -> None: ...\n\n\n"
        '@shared_task(serializer="pickle", max_retries=None)\n'
        "def notify(order_id: int) -> None: ...\n"
    ),
    "config/settings.py": (
        "import os\n\n"
        'CELERY_BROKER_URL = "redis://:correct-horse@redis.internal:6379/0"\n'
        'CELERY_TASK_TIME_LIMIT = int(os.environ.get("TASK_TIME_LIMIT", "43200"))\n'
        '\tCELERY_WORKER_POOL = "threads"\n'
    ),
    "deploy/Dockerfile": "FROM python:3.13\nCMD celery -A shop worker --pool=solo\n",
}

TABLE = {
    "SFC106": ("task-overrides-serializer", "sends its arguments in another format", "leave out serializer="),
    "SFC201": ("plain-text-transport", "is reached without TLS", "use rediss:// or amqps://"),
    "SFC401": (
        "hard-time-limit-missing",
        "has no hard time limit, so it may hang for ever",
        "state time_limit=SECONDS",
    ),
    "SFC405": (
        "hard-time-limit-too-high",
        "may run longer than the policy allows",
        "split the work, or lower time_limit",
    ),
    "SFC410": ("pool-ignores-time-limits", "runs tasks in a pool without limits", "use the prefork pool"),
    "SFC601": ("retries-unbounded", "retries for ever", "state max_retries=COUNT"),
}
"""Rules as the golden files know them, so that a better wording of a rule does not break them."""

SEVERITIES = {
    "SFC106": Severity.HIGH,
    "SFC201": Severity.CRITICAL,
    "SFC401": Severity.HIGH,
    "SFC405": Severity.MEDIUM,
    "SFC410": Severity.HIGH,
    "SFC601": Severity.MEDIUM,
}

PAGE = "# {code}\n\n## Why\n\nBecause of [CWE-400](https://cwe.mitre.org/data/definitions/400.html).\n"


def known_rule(code: str) -> tuple[str, str, str, Severity] | None:
    """Stands for ``rulebook.catalogued``."""
    return (*TABLE[code], SEVERITIES[code]) if code in TABLE else None


def write_sources(folder: Path) -> None:
    for name, text in SOURCES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def finding(code: str, subject: str, path: str, line: int, detail: str, **more: object) -> Finding:
    name, message, fix = TABLE[code]
    values: dict[str, object] = {
        "code": code,
        "name": name,
        "severity": SEVERITIES[code],
        "level": Level.ERROR,
        "message": f"{subject} {message} ({detail})",
        "fix": fix,
        "path": path,
        "line": line,
        "subject": subject,
    }
    return Finding(**{**values, **more})  # type: ignore[arg-type]


def shop_result() -> LintResult:
    """Every kind of entry, in the order of path and line."""
    return LintResult(
        findings=(
            finding(
                "SFC201",
                "broker redis://:correct-horse@redis.internal:6379/0",
                "config/settings.py",
                3,
                "the scheme is redis",
            ),
            finding(
                "SFC405",
                "shop.tasks.notify",
                "config/settings.py",
                4,
                "time_limit is 43200 s, the policy allows 3600 s",
                because=(
                    Because("config/settings.py", 4, "task_time_limit = 43200"),
                    Because("config/settings.py", 1, "namespace 'CELERY' of the app"),
                ),
                env=("TASK_TIME_LIMIT",),
                level=Level.WARN,
            ),
            finding("SFC410", "app shop", "deploy/Dockerfile", 2, "the pool is 'solo'", column=27),
            finding("SFC401", "shop.tasks.charge", "shop/tasks.py", 4, "none is stated", fixable=True),
            finding("SFC106", "shop.tasks.notify", "shop/tasks.py", 8, "serializer is 'pickle'", column=14),
        ),
        undecided=(
            finding(
                "SFC401",
                "shop.tasks.sweep",
                "shop/sweep.py",
                12,
                "",
                message="whether shop.tasks.sweep has no hard time limit is unknown (cannot read time_limit)",
                blocked_by='config["limits"]["sweep"]',
            ),
            finding(
                "SFC601",
                "shop.tasks.sweep",
                "shop/sweep.py",
                12,
                "",
                message="whether shop.tasks.sweep retries for ever is unknown (cannot read max_retries)",
                blocked_by="**load_options()",
            ),
        ),
        suppressed=(finding("SFC601", "shop.tasks.notify", "shop/tasks.py", 8, "None", reason="the queue is drained"),),
        baselined=(finding("SFC401", "shop.old.report", "shop/old.py", 3, "none is stated"),),
        unread=(Unread("shop/broken.py", 7, "invalid syntax: '(' was never closed"),),
        tasks=(
            TaskRow(name="shop.old.report", path="shop/old.py", line=3, app="shop"),
            TaskRow(name="shop.tasks.sweep", path="shop/sweep.py", line=12, app="shop"),
            TaskRow(name="shop.tasks.charge", path="shop/tasks.py", line=4, app="shop"),
            TaskRow(name="shop.tasks.notify", path="shop/tasks.py", line=8, app="shop"),
        ),
        rules=("SFC106", "SFC201", "SFC401", "SFC405", "SFC410", "SFC601"),
        files=12,
        seconds=0.084,
        notes=("the settings module config.settings was assumed: manage.py names it",),
    )


_DOMAINS = {
    "shop.orders": "charge refund capture_payment send_receipt expire_carts export_orders void_invoice",
    "shop.catalog": "reindex_product rebuild_search_index import_feed sync_prices generate_thumbnails warm_cache",
    "shop.shipping": "book_parcel poll_tracking print_label close_manifest notify_delay",
    "shop.accounts": "send_welcome_mail delete_user_data rotate_tokens merge_accounts check_breached_passwords",
    "shop.reports.daily": "sales_report stock_report fraud_report publish_dashboard archive_report",
    "shop.integrations.erp": "push_order pull_stock reconcile_ledger retry_failed_exports",
    "shop.integrations.webhooks": "deliver_webhook expire_deliveries verify_endpoint",
    "shop.search": "refresh_synonyms score_documents compact_segments",
    "shop.maintenance": "purge_sessions vacuum_tables check_certificates snapshot_metrics rotate_logs",
    "shop.marketing.campaigns": "send_newsletter compute_segments schedule_campaign unsubscribe_bounced track_open",
    "media.tasks": "transcode_video extract_frames probe_upload scan_for_viruses delete_orphans",
}


def large_result(tasks: int = 112, seed: int = 7) -> LintResult:
    """As a first run over a grown project looks: the same missing everywhere, and some things here and there."""
    from safecelery.policy.facts import CallFacts, CodeFacts, TaskFacts
    from safecelery.policy.rules import CATALOGUE

    chance = random.Random(seed)
    rows: list[TaskRow] = []
    for generation in range(20):
        for module, names in _DOMAINS.items():
            path = module.replace(".", "/") + (f"/v{generation}" if generation else "") + "/tasks.py"
            dotted = path.removesuffix(".py").replace("/", ".")
            for number, name in enumerate(names.split()):
                app = "media" if module.startswith("media") else "shop"
                rows.append(TaskRow(name=f"{dotted}.{name}", path=path, line=12 + 21 * number, app=app))
    rows = sorted(rows[:tasks], key=lambda row: (row.path, row.line))
    rules = [rule for rule in CATALOGUE if rule.subject in (TaskFacts, CallFacts, CodeFacts)][:40]
    odds = {rule.code: chance.choice((0.0, 0.0, 0.02, 0.05, 0.1, 0.3, 0.75)) for rule in rules}
    odds |= {"SFC401": 0.8, "SFC402": 0.85, "SFC501": 0.7}
    findings: list[Finding] = []
    undecided: list[Finding] = []
    excused: list[Finding] = []
    for row in rows:
        for rule in rules:
            if chance.random() >= odds[rule.code] * (0.3 if row.app == "media" else 1):
                continue
            item = Finding(
                code=rule.code,
                name=rule.name,
                severity=rule.severity,
                level=Level.ERROR if rule.severity in (Severity.CRITICAL, Severity.HIGH) else Level.WARN,
                message=f"{row.name} {rule.message} (as the settings of {row.app} have it)",
                fix=rule.fix,
                path=row.path,
                line=row.line,
                subject=row.name,
                because=(
                    Because("config/settings/production.py", 93, "task_time_limit = 43200"),
                    Because("config/settings/base.py", 14, "default of env.int('TASK_TIME_LIMIT')"),
                )
                if chance.random() < 0.3
                else (),
                env=("TASK_TIME_LIMIT",) if chance.random() < 0.1 else (),
                fixable=chance.random() < 0.2,
            )
            kind = chance.random()
            if kind < 0.12:
                blocked = chance.choice(("settings.LIMITS[queue]", "**load_options()", "env.json('CELERY')"))
                undecided.append(
                    _changed(item, blocked_by=blocked, message=f"whether {row.name} {rule.message} is unknown")
                )
            elif kind < 0.16:
                excused.append(_changed(item, reason="moved to the batch queue in March"))
            else:
                findings.append(item)
    findings.append(
        finding(
            "SFC201", "broker redis://:***@redis.internal:6379/0", "config/settings/base.py", 31, "the scheme is redis"
        )
    )
    findings.append(finding("SFC410", "app shop", "deploy/Dockerfile", 17, "the pool is 'threads'"))
    order = sorted(findings, key=lambda item: (item.path, item.line, item.code))
    return LintResult(
        findings=tuple(order),
        undecided=tuple(undecided),
        suppressed=tuple(excused),
        unread=(Unread("shop/legacy/compat.py", 40, "invalid syntax: multiple exception types must be parenthesized"),),
        tasks=tuple(rows),
        rules=tuple(rule.code for rule in rules),
        files=1423,
        seconds=0.61,
        notes=("two apps in one tree: shop (shop/celery.py) and media (media/celery.py)",),
    )


def _changed(item: Finding, **fields: object) -> Finding:
    from dataclasses import replace

    return replace(item, **fields)  # type: ignore[arg-type]
