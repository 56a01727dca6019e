"""The app under measurement: one no-op task with three arguments, in the variant that BENCH_VARIANT names."""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from celery import Celery

VARIANT = os.environ.get("BENCH_VARIANT", "plain")
RESULTS = os.environ.get("BENCH_RESULTS") == "kept"
URL = os.environ["BENCH_URL"]
HOME = Path(os.environ["BENCH_DIR"])
QUEUE = f"bench-{VARIANT}"
LIMITS: dict[str, Any] = {"time_limit": 60, "soft_time_limit": 50}


def make_keys() -> None:
    """Key material of the run: ours, and the X.509 pair that Celery's ``auth`` wants."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    from safecelery.keys.encryption.generate import encryption_trust_entry, generate_encryption_key
    from safecelery.keys.encryption.private import render_decryption_key
    from safecelery.keys.generate import generate_key, trust_entry, write_document, write_private

    key = generate_key("bench")
    write_private(HOME / "bench.key", key)
    readers = generate_encryption_key("bench", scheme="aes-256-gcm")
    write_document(HOME / "readers.key", render_decryption_key(readers))
    entry = encryption_trust_entry(
        readers, queues=["bench-*"], results=["bench.*"], secret_reference=f"file:{HOME / 'readers.key'}"
    )
    (HOME / "trust.toml").write_text(trust_entry(key, send=["bench.*"], queues=["bench-*"]) + "\n" + entry)
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bench")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(rsa_key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(rsa_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (HOME / "auth.key").write_bytes(
        rsa_key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    )
    (HOME / "auth.pem").write_bytes(certificate.public_bytes(pem))


def make_app() -> Celery:
    """The variant's app."""
    if VARIANT in ("safecelery", "encrypted"):
        from safecelery import SafeCelerySettings, create_app

        return create_app(
            "bench",
            SafeCelerySettings(
                profile="production",
                broker={"url": URL},
                results={"url": URL} if RESULTS else {},
                signing={"key": f"file:{HOME / 'bench.key'}", "trust_file": HOME / "trust.toml"},
                encryption={"keys": (f"file:{HOME / 'readers.key'}",), "tasks": ("bench.*",)}
                if VARIANT == "encrypted"
                else {},
                default_queue=QUEUE,
            ),
        )
    app = Celery("bench", broker=URL, backend=URL if RESULTS else None)
    app.conf.update(task_default_queue=QUEUE, task_ignore_result=not RESULTS, broker_connection_retry_on_startup=True)
    if VARIANT == "auth":
        app.conf.update(
            security_key=str(HOME / "auth.key"),
            security_certificate=str(HOME / "auth.pem"),
            security_cert_store=str(HOME / "*.pem"),
            task_serializer="auth",
            accept_content=["auth"],
            result_serializer="auth" if RESULTS else "json",
        )
        app.setup_security()
    if VARIANT != "plain":
        app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True)
    return app


def publish(count: int) -> float:
    """Seconds to send ``count`` messages, after one that opens the connection."""
    noop.delay(0, "warm", True)
    start = time.perf_counter()
    sent = [noop.delay(number, "three arguments", True).id for number in range(count)]
    seconds = time.perf_counter() - start
    (HOME / f"ids-{VARIANT}").write_text("\n".join(sent))
    return seconds


def read() -> float:
    """Seconds to read every result, one at a time, by the ids alone."""
    ids = (HOME / f"ids-{VARIANT}").read_text().split()
    backend = app.backend
    backend.get_task_meta(ids[0])
    start = time.perf_counter()
    for number, one in enumerate(ids):
        if backend.get_task_meta(one, cache=False)["result"] != [number, "three arguments", True]:
            raise SystemExit(f"the result of {one} is not what was returned")
    return time.perf_counter() - start


if __name__ == "__main__":
    make_keys()
    sys.exit()

app = make_app()


@app.task(name="bench.noop", ignore_result=not RESULTS, **({} if VARIANT == "plain" else LIMITS))
def noop(number: int, text: str, flag: bool) -> list[object] | None:
    """Nothing, or the arguments where somebody wants a result."""
    return [number, text, flag] if RESULTS else None
