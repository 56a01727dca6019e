"""Stages are made by their functions only, at run time and for the type checker."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from safecelery.message import stages
from safecelery.message.stages import AdmittedMessage, RawMessage, UnverifiedButReported, VerifiedMessage, admitted
from tests.unit.message.message_builders import a_draft, opened, raw, signed, some_claims


def a_verified() -> VerifiedMessage:
    return opened(raw(signed(some_claims())))


@pytest.mark.parametrize("token", [None, object(), stages._Token()])
def test_a_stage_is_not_made_without_the_token(token: Any) -> None:
    good = a_verified()
    with pytest.raises(TypeError, match=r"made by unseal\(\) only"):
        VerifiedMessage(good.claims, good.body, good.key, good.queue, token)
    with pytest.raises(TypeError, match=r"made by firewall.admit\(\) only"):
        AdmittedMessage(good, b"", token)
    with pytest.raises(TypeError, match=r"made by take_unsigned\(\) only"):
        UnverifiedButReported(good.claims, good.body, good.queue, token)


def test_a_stage_is_not_made_with_fewer_arguments() -> None:
    good = a_verified()
    with pytest.raises(TypeError):
        VerifiedMessage(good.claims, good.body, good.key, good.queue)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        AdmittedMessage(good, b"")  # type: ignore[call-arg]


def test_a_stage_does_not_lend_its_token_to_a_changed_copy() -> None:
    good = a_verified()
    for stage, change in ((good, {"body": b"other"}), (admitted(good, b""), {"plain": b"other"})):
        with pytest.raises((TypeError, ValueError), match="_token"):
            dataclasses.replace(stage, **change)
        assert not hasattr(stage, "_token")


@pytest.mark.parametrize("stage", [raw("x"), a_verified(), admitted(a_verified(), b"")], ids=lambda s: type(s).__name__)
def test_a_stage_does_not_change(stage: Any) -> None:
    for field in dataclasses.fields(stage):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(stage, field.name, None)


@pytest.mark.parametrize("kind", [RawMessage, VerifiedMessage, UnverifiedButReported, AdmittedMessage])
def test_a_stage_is_no_kind_of_another(kind: type) -> None:
    assert kind.__mro__ == (kind, object)


def test_a_draft_does_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        a_draft().body = b"other"  # type: ignore[misc]
