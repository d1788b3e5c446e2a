import socket
from urllib.parse import urlsplit

from defectkeras.registry.store import ModelRegistry
from defectkeras.serving import prompt_protocol
from defectkeras.serving.server import running_server


def test_a_connection_that_says_nothing_is_closed(served_root, settings, monkeypatch):
    monkeypatch.setattr(prompt_protocol, "HEAD_TIMEOUT_S", 0.2)
    with running_server(ModelRegistry(served_root), settings) as address:
        url = urlsplit(address.rest_url)
        with socket.create_connection((url.hostname, url.port), timeout=60) as slow:
            slow.sendall(b"GET /v1/models/tiny HTTP/1.1\r\nHost: localhost\r\n")
            assert slow.recv(100) == b""
        with socket.create_connection((url.hostname, url.port), timeout=60) as quick:
            quick.sendall(b"GET /v1/models/tiny HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert quick.recv(100).startswith(b"HTTP/1.1 200 OK")
