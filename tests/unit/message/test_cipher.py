"""Who is encrypted to, and what a process does not open."""

from __future__ import annotations

import pytest

from safecelery.errors import KeyringError, Reason, Rejected, SealError
from safecelery.keys.ring import Keyring
from safecelery.keys.trust import TrustStore
from safecelery.message import encrypted
from safecelery.message.cipher import Cipher
from safecelery.message.codec import Malformed
from safecelery.message.encrypted import MAX_RECIPIENTS, Recipient, head_of, parse_container
from tests.unit.keys.encryption_builders import T, a_cipher, a_key, a_receiver, a_recipient

TASK = {"typ": "task", "task": "orders.pay", "task_id": "t-1"}


def recipients(data: bytes) -> list[str]:
    return [recipient.kid for recipient in parse_container(data).recipients]


def test_tasks_must_be_encrypted_that_say_so_or_that_the_settings_name() -> None:
    cipher = a_cipher(tasks=["billing.*"])
    cipher.require("orders.pay")
    assert cipher.must_encrypt("orders.pay")
    assert cipher.must_encrypt("billing.pay")
    assert not cipher.must_encrypt("orders.list")
    assert cipher.is_used
    assert not a_cipher().is_used


def test_a_body_goes_to_every_valid_key_of_the_queue_and_to_no_other() -> None:
    old, new, audit, other = (a_key(owner) for owner in ("old", "new", "audit", "other"))
    cipher = a_cipher(
        to=[
            a_recipient(old),
            a_recipient(new),
            a_recipient(audit, queues=("*",)),
            a_recipient(other, queues=("mail",)),
            a_recipient(a_key("revoked"), revoked=True),
            a_recipient(a_key("expired"), expires=T + 1),
            a_recipient(a_key("future"), not_before=T + 2),
        ]
    )
    assert recipients(cipher.encrypt(b"", queue="orders", **TASK)) == [old.kid, new.kid, audit.kid]


def test_a_result_goes_to_those_who_read_results_of_the_task() -> None:
    caller, consumer = a_key("caller"), a_key("consumer")
    cipher = a_cipher(to=[a_recipient(caller, queues=()), a_recipient(consumer, results=())])
    result = {**TASK, "typ": "result"}
    assert recipients(cipher.encrypt(b"", queue=None, **result)) == [caller.kid]
    assert recipients(cipher.encrypt(b"", queue="orders", **TASK)) == [consumer.kid]
    with pytest.raises(SealError, match=r"--read-results mail\.send"):
        cipher.encrypt(b"", queue="orders", **{**result, "task": "mail.send"})


def test_without_a_recipient_nothing_is_sent_and_the_error_says_what_to_do() -> None:
    with pytest.raises(SealError, match=r"queue 'mail'.*safecelery keys generate OWNER .* --queue mail"):
        a_cipher(a_key()).encrypt(b"", queue="mail", **TASK)
    with pytest.raises(SealError, match="not known which queue"):
        a_cipher(a_key()).encrypt(b"", queue=None, **TASK)
    assert a_cipher(a_key(), to=[]).encrypt  # a process without entries can still be made
    with pytest.raises(SealError):
        a_cipher(a_key(), to=[]).encrypt(b"", queue="orders", **TASK)


def test_too_many_recipients_are_an_error() -> None:
    many = [a_recipient(a_key(f"k{n}")) for n in range(MAX_RECIPIENTS + 1)]
    assert len(recipients(a_cipher(to=many[1:]).encrypt(b"", queue="orders", **TASK))) == MAX_RECIPIENTS
    with pytest.raises(SealError, match="17 encryption keys"):
        a_cipher(to=many).encrypt(b"", queue="orders", **TASK)


def test_a_recipient_whose_secret_cannot_be_had_is_not_left_out() -> None:
    class _Lost:
        def wrap(self, content_key: bytes, context: bytes) -> bytes:
            raise KeyringError("private key env:RING: the variable is not set, or empty")

    cipher = a_cipher(to=[a_recipient(a_key()), a_recipient(a_key("ring"), wrapper=_Lost())])
    with pytest.raises(SealError, match=r"env:RING.*nothing was sent"):
        cipher.encrypt(b"", queue="orders", **TASK)


def test_the_trust_store_is_asked_at_each_message() -> None:
    class _Ring:
        trust = TrustStore.empty()

    ring = _Ring()
    cipher = Cipher(ring, a_receiver(a_key()), clock=lambda: T)  # type: ignore[arg-type]
    with pytest.raises(SealError):
        cipher.encrypt(b"", queue="orders", **TASK)
    ring.trust = TrustStore({}, {a_key().kid: a_recipient(a_key())})
    assert cipher.decrypt(cipher.encrypt(b"x", queue="orders", **TASK), **TASK) == b"x"


def test_a_process_without_the_key_names_those_that_it_would_need() -> None:
    data = a_cipher(a_key("orders")).encrypt(b"", queue="orders", **TASK)
    with pytest.raises(Rejected, match=a_key("orders").kid) as caught:
        a_cipher(a_key("other")).decrypt(data, **TASK)
    assert caught.value.reason is Reason.UNDECRYPTABLE
    with pytest.raises(Rejected):
        Cipher(Keyring(None, TrustStore.empty())).decrypt(data, **TASK)


def test_a_content_key_of_another_length_is_refused() -> None:
    key = a_key()
    recipient = a_recipient(key, scheme="aes-256-gcm")

    class _Short:
        def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
            return b"k" * 16

    data = a_cipher(to=[recipient]).encrypt(b"", queue="orders", **TASK)
    held = a_receiver(key)
    held._keys = {key.kid: type("K", (), {"kid": key.kid, "scheme": key.scheme, "unwrapper": _Short()})()}
    with pytest.raises(Rejected, match="wrong length"):
        Cipher(Keyring(None, TrustStore.empty()), held).decrypt(data, **TASK)


def test_an_oversized_container_is_refused_before_it_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    data = a_cipher(a_key()).encrypt(b"", queue="orders", **TASK)
    monkeypatch.setattr(encrypted, "MAX_BYTES", len(data) - 1)
    with pytest.raises(Rejected, match="larger than") as caught:
        a_cipher(a_key()).decrypt(data, **TASK)
    assert caught.value.reason is Reason.UNDECRYPTABLE


@pytest.mark.parametrize(
    "bad",
    [
        [],
        [Recipient("a", b"w")] * 2,
        [Recipient(f"k{n}", b"w") for n in range(17)],
        [Recipient("", b"w")],
        [Recipient("k" * 256, b"w")],
        [Recipient("a", b"")],
        [Recipient("a", bytes(4097))],
    ],
)
def test_no_container_is_made_that_nobody_would_read(bad: list[Recipient]) -> None:
    with pytest.raises(Malformed):
        head_of(bad)


def test_refusals_say_nothing_of_the_plain_text() -> None:
    cipher = a_cipher(a_key())
    data = cipher.encrypt(b"canary", queue="orders", **TASK)
    for changes in ({"task": "orders.refund"}, {"task_id": "t-2"}, {"typ": "result"}):
        with pytest.raises(Rejected) as caught:
            cipher.decrypt(data, **{**TASK, **changes})
        assert "canary" not in str(caught.value)
        assert caught.value.__cause__ is None
