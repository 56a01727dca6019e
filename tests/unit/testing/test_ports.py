"""Ports for test servers: different, free, and out of the kernel's way."""

from __future__ import annotations

import socket

import pytest

from safecelery.testing.servers import free_ports


def test_ports_are_different_and_can_be_bound() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    for port in ports:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", port))


def test_an_address_that_is_not_ours_has_no_free_ports() -> None:
    with pytest.raises(OSError, match="no 1 free ports"):
        free_ports(1, host="192.0.2.1")  # RFC 5737: an address for documentation
