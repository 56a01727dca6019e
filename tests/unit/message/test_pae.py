from __future__ import annotations

from safecelery.message.pae import CONTEXT, pae


def test_every_part_stands_behind_its_length() -> None:
    assert pae("task", b"{}", b"[1 2]") == b"safecelery/envelope/v1 4 task 2 {} 5 [1 2]"
    assert pae("", b"", b"") == b"safecelery/envelope/v1 0  0  0 "


def test_lengths_are_of_bytes_and_decimal() -> None:
    assert pae("task", "é".encode(), bytes(100)) == b"safecelery/envelope/v1 4 task 2 \xc3\xa9 100 " + bytes(100)


def test_the_context_names_protocol_and_version() -> None:
    assert CONTEXT == b"safecelery/envelope/v1"
    assert len(CONTEXT) == 22


def test_a_byte_cannot_move_from_one_part_to_the_next() -> None:
    assert len({pae("task", b"ab"[:n], b"ab"[n:]) for n in range(3)}) == 3
    assert pae("task", b"2 {}", b"") != pae("task", b"2", b"{}")
