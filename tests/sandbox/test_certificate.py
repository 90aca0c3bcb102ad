"""Off the loopback the sandbox speaks TLS, and is believed by those who were given its certificate only."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import requests

from ocp_numbers.client import ClientSettings, OcpClient
from ocp_sandbox import Sandbox, Settings


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return tmp_path / "sandbox.pem"


def test_whoever_trusts_the_certificate_is_served(certificate: Path) -> None:
    with Sandbox(Settings(numbers=3, certificate=certificate)) as sandbox:
        assert sandbox.url.startswith("https://127.0.0.1:")
        trusting = requests.Session()
        trusting.verify = str(certificate)
        settings = ClientSettings(host=sandbox.url, login="ops", password="secret")
        with OcpClient(settings, session=trusting) as client:
            assert len(list(client.numbers.iterate())) == 3


def test_whoever_does_not_is_not_and_a_client_that_speaks_no_tls_harms_nobody(certificate: Path) -> None:
    with Sandbox(Settings(numbers=3, certificate=certificate)) as sandbox:
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(f"{sandbox.url}/_sandbox/health", timeout=10)
        with socket.create_connection(("127.0.0.1", int(sandbox.url.rpartition(":")[2])), timeout=10) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert b"HTTP" not in plain.recv(100)
        assert requests.get(f"{sandbox.url}/_sandbox/health", timeout=10, verify=str(certificate)).ok


def test_the_file_holds_no_key_and_is_new_with_each_start(certificate: Path) -> None:
    seen = set()
    for _ in range(2):
        with Sandbox(Settings(numbers=0, certificate=certificate)):
            seen.add(certificate.read_text())
    assert len(seen) == 2
    assert not [text for text in seen if "PRIVATE" in text]
