"""What surrounds a command: user, health check, restart, copies, grace, ports; and how files find each other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from safecelery.lint.deploy import joined, matched, read
from safecelery.policy.facts import ABSENT, UNKNOWN, DeployFacts, Place, SettingsFacts
from tests.unit.lint.deploy.deploy_pages import deployment_of

DOCKERFILE = (
    'FROM python:3.13\nUSER shop\nHEALTHCHECK CMD true\nENTRYPOINT ["/entrypoint.sh"]\n'
    'CMD ["celery", "-A", "shop", "worker"]\n'
)


def processes(root: Path, **files: str) -> list[DeployFacts]:
    return deployment_of({name.replace("__", "."): text for name, text in files.items()}, root).processes


def one(root: Path, files: dict[str, str | bytes]) -> DeployFacts:
    (process,) = deployment_of(files, root).processes
    return process


class TestCompose:
    def service(self, root: Path, body: str, **more: str) -> DeployFacts:
        text = "services:\n  w:\n" + "".join(f"    {line}\n" for line in body.strip().splitlines())
        return one(root, {"docker-compose.yml": text, **more})

    def test_what_a_service_says(self, tmp_path: Path) -> None:
        process = self.service(
            tmp_path,
            "image: shop\nuser: '1000'\ncommand: celery -A shop worker\nrestart: always\nstop_grace_period: 1m30s\n"
            "deploy: {replicas: 3}\nhealthcheck: {test: x}\nports: ['5555:5555', '127.0.0.1:1:1']\n",
        )
        assert (process.root, process.restarts, process.stop_grace_s, process.replicas) == (False, True, 90, 3)
        assert (process.health_check, process.published) == (True, ("0.0.0.0:5555",))

    def test_what_it_does_not_say(self, tmp_path: Path) -> None:
        process = self.service(tmp_path, "image: shop\ncommand: celery -A shop worker\n")
        assert (process.root, process.health_check) == (UNKNOWN, UNKNOWN)  # the image decides
        assert (process.restarts, process.stop_grace_s, process.replicas) == (False, 10, 1)

    def test_the_dockerfile_it_builds(self, tmp_path: Path) -> None:
        files: dict[str, str | bytes] = {
            "docker-compose.yml": "services:\n  w:\n    build: .\n",
            "Dockerfile": DOCKERFILE,
        }
        process = one(tmp_path, files)
        assert (process.source, process.role, process.root, process.health_check) == ("compose", "worker", False, True)

    def test_the_script_it_runs_gets_its_variables(self, tmp_path: Path) -> None:
        process = self.service(
            tmp_path,
            "image: shop\ncommand: /app/run.sh\nenvironment: {QUEUES: a}\n",
            **{"docker/run.sh": '#!/bin/sh\nexec celery -A shop worker -P "$POOL" -Q "$QUEUES"\n'},
        )
        assert (process.source, process.queues, process.pool) == ("compose", ("a",), UNKNOWN)

    def test_extends_anchors_and_overrides(self, tmp_path: Path) -> None:
        main = (
            "x-base: &base\n  restart: always\nservices:\n  w:\n    <<: *base\n    image: shop\n"
            "    command: celery -A shop worker\n  v:\n    extends: w\n"
            "    command: celery -A shop beat\n"
        )
        over = "services:\n  w:\n    command: celery -A shop worker -P solo\n"
        found = deployment_of({"docker-compose.yml": main, "docker-compose.prod.yml": over}, tmp_path).processes
        assert [(p.role, p.restarts, p.pool) for p in found] == [
            ("worker", True, "solo"), ("worker", True, ABSENT), ("beat", True, ABSENT),
        ]  # fmt: skip

    def test_development_is_said_by_the_name(self, tmp_path: Path) -> None:
        text = "services:\n  w:\n    image: shop\n    command: celery -A shop worker\n"
        found = deployment_of({"docker-compose.dev.yml": text, "compose.yml": text}, tmp_path).processes
        assert {p.where.file: p.production for p in found} == {"docker-compose.dev.yml": False, "compose.yml": UNKNOWN}

    @pytest.mark.parametrize(
        ("body", "password"),
        [
            ("image: redis:7", "none"),
            ("image: redis:7\n    command: redis-server --requirepass ${P:?}", "set"),
            ("image: redis:7\n    command: redis-server /etc/redis.conf", UNKNOWN),
            ("image: bitnami/redis\n    environment: [ALLOW_EMPTY_PASSWORD=yes]", "none"),
            ("image: rabbitmq:3-management", "default"),
            ("image: rabbitmq\n    environment: {RABBITMQ_DEFAULT_PASS: guest}", "default"),
            ("image: rabbitmq\n    environment: {RABBITMQ_DEFAULT_PASS: '${P}'}", "set"),
            ("image: rabbitmq\n    env_file: .env", UNKNOWN),
        ],
    )
    def test_the_password_of_a_broker(self, body: str, password: Any, tmp_path: Path) -> None:
        text = f"services:\n  w:\n    image: shop\n    command: celery worker\n  b:\n    {body}\n"
        found = deployment_of({"compose.yaml": text}, tmp_path).processes
        assert [p.password for p in found if p.role == "broker"] == [password]

    def test_a_broker_without_celery_beside_it_is_not_ours(self, tmp_path: Path) -> None:
        assert processes(tmp_path, **{"compose.yml": "services:\n  worker:\n    image: redis:7\n"}) == []

    @pytest.mark.parametrize("image", ["apache/airflow:2", "x"])
    def test_airflows_worker_is_not_celerys(self, image: str, tmp_path: Path) -> None:
        text = (
            f"services:\n  w:\n    image: {image}\n    command: celery worker\n    environment: {{AIRFLOW__X: '1'}}\n"
        )
        assert processes(tmp_path, **{"compose.yml": text}) == []


class TestOthers:
    def test_a_unit(self, tmp_path: Path) -> None:
        text = (
            "[Service]\nUser=shop\nEnvironmentFile=/etc/shop.conf\n"
            "ExecStart=/bin/sh -c '${CELERY_BIN} -A shop worker $OPTS'\nRestart=on-failure\n"
            "TimeoutStopSec=5min\n"
        )
        process = one(tmp_path, {"w.service": text, "etc/shop.conf": 'OPTS="-c 3 --pool=solo"\n'})
        assert (process.concurrency, process.pool, process.root) == (3, "solo", False)
        assert (process.restarts, process.stop_grace_s, process.health_check) == (True, 300, ABSENT)

    def test_a_program_of_supervisor_over_several_lines(self, tmp_path: Path) -> None:
        text = (
            "[supervisord]\nuser=root\n[program:w]\ncommand=celery -A shop worker\n"
            "    --hostname=a@%%n\n    -Q a ; why\nnumprocs=2\n"
        )
        process = one(tmp_path, {"supervisord.conf": text})
        assert (process.queues, process.root, process.replicas, process.stop_grace_s) == (("a",), True, 2, 10)
        assert process.where.line == 4

    def test_a_manifest(self, tmp_path: Path) -> None:
        text = """
apiVersion: apps/v1
kind: Deployment
spec:
  replicas: {{ .Values.n }}
  template:
    spec:
      terminationGracePeriodSeconds: 600
      securityContext:
        runAsUser: 1000
      containers:
        - name: w
          env:
            - {name: POOL, value: solo}
          command: ["sh", "-c"]
          args: ["exec celery -A shop worker -P $POOL"]
          livenessProbe: {{ toYaml .Values.probe | nindent 12 }}
"""
        process = one(tmp_path, {"templates/w.yaml": text})
        assert (process.pool, process.root, process.replicas) == ("solo", False, UNKNOWN)
        assert (process.health_check, process.stop_grace_s, process.restarts) == (UNKNOWN, 600, True)

    @pytest.mark.parametrize(
        ("text", "root", "health"),
        [
            ("FROM python:3.13\nCMD celery worker", True, False),
            ("FROM registry.example/base\nCMD celery worker", UNKNOWN, UNKNOWN),
            ("FROM python AS a\nUSER x\nFROM a\nCMD celery worker", False, False),
            ("FROM python\nUSER x\nUSER root\nHEALTHCHECK CMD y\nCMD celery worker", True, True),
            ("FROM python\nARG U=shop\nUSER ${U}\nHEALTHCHECK NONE\nCMD celery \\\n  # why\n  worker", False, False),
        ],
    )
    def test_stages_of_an_image(self, text: str, root: Any, health: Any, tmp_path: Path) -> None:
        process = one(tmp_path, {"Dockerfile": text})
        assert (process.root, process.health_check) == (root, health)

    def test_secrets_are_named_and_never_shown(self, tmp_path: Path) -> None:
        text = "w: celery -A s -b amqp://u:hunter2@h// worker\nf: celery flower --basic_auth=a:hunter2\n"
        found = deployment_of({"Procfile": text}, tmp_path).processes
        assert [p.secrets_in_command for p in found] == [("-b",), ("--basic-auth",)]
        assert "hunter2" not in repr(found)

    @pytest.mark.parametrize(
        ("configuration", "asks"), [("basic_auth = ['a:b']", True), ("port = 1", False), ("basic_auth = None", False)]
    )
    def test_the_configuration_file_of_flower(self, configuration: str, asks: bool, tmp_path: Path) -> None:
        process = one(
            tmp_path, {"Procfile": "f: celery flower --conf=flowerconfig.py", "flowerconfig.py": configuration}
        )
        assert process.authenticated is asks


def test_what_settings_add_to_a_process(tmp_path: Path) -> None:
    process = one(tmp_path, {"Procfile": "b: celery -A shop beat"})
    stated = {"beat_scheduler": "redbeat.RedBeatScheduler", "worker_max_tasks_per_child": 100}
    settings = SettingsFacts(app="shop", where=Place("s.py"), production=UNKNOWN, stated=stated)
    known = joined(process, settings, 300)
    assert (known.settings_scheduler, known.settings_schedule_file) == ("redbeat.RedBeatScheduler", ABSENT)
    assert (known.settings_bound_children, known.longest_task_s) == (True, 300)
    assert known.hardened is False
    ours = replace(settings, signing=True)
    assert joined(process, ours).hardened is True
    assert matched(process, [replace(settings, where=Place("x.py")), ours]).hardened is UNKNOWN
    half = SettingsFacts(app="shop", where=Place("s.py"), production=UNKNOWN, stated={}, complete=False)
    assert joined(process, half).settings_bound_children is UNKNOWN


def test_where_the_project_lies_on_this_machine_says_nothing(tmp_path: Path) -> None:
    root = tmp_path / "test" / "dev" / "shop"
    (root / "docs").mkdir(parents=True)
    (root / "Procfile").write_text("w: celery -A shop worker\n")
    (root / "docs" / "Procfile").write_text("w: celery -A shop worker\n")
    (root / "a.pem").write_text("-----BEGIN PRIVATE KEY-----\n")
    names = [str(root / name) for name in ("Procfile", "docs/Procfile", "a.pem")]
    found = read((name, name) for name in names)
    assert [process.production for process in found.processes] == [UNKNOWN, UNKNOWN]
    assert [file.example for file in found.files] == [False]


@pytest.mark.parametrize(
    ("app", "bounded"),
    [("shop.celery:app", True), ("shop", True), ("shop.celery", True), ("mail.celery", False), ("other", UNKNOWN)],
)
def test_a_process_is_matched_with_the_app_it_names(app: str, bounded: Any, tmp_path: Path) -> None:
    process = one(tmp_path, {"Procfile": f"w: celery -A {app} worker"})
    apps = [
        SettingsFacts(app=name, where=Place(f"src/{name}/celery.py"), production=UNKNOWN, stated=stated)
        for name, stated in (("shop", {"worker_max_tasks_per_child": 9}), ("mail", {}))
    ]
    assert matched(process, apps).settings_bound_children is bounded
    assert matched(process, []) == process
    assert matched(process, apps[:1]).settings_bound_children is True
