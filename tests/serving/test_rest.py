"""Limits; what TensorFlow Serving answers is in test_conformance.py."""

import dataclasses
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import numpy as np
import pytest
import requests

from defectkeras.registry.store import ModelRegistry
from defectkeras.serving.servable import Servable
from defectkeras.serving.server import running_server


@pytest.fixture(scope="module")
def strict(served_root, settings):
    """A server that takes little."""
    limits = dataclasses.replace(settings, max_body_bytes=20_000, timeout_s=0.5)
    with running_server(ModelRegistry(served_root), limits) as address:
        yield f"{address.rest_url}/v1/models/tiny:predict"


def test_a_large_body_is_refused_before_it_is_read(strict):
    url = urlsplit(strict)
    with socket.create_connection((url.hostname, url.port), timeout=60) as client:
        head = (
            f"POST {url.path} HTTP/1.1\r\nHost: localhost\r\n"
            f"Content-Length: {10**12}\r\n\r\n"
        )
        client.sendall(head.encode())
        assert client.recv(1000).startswith(b"HTTP/1.1 429 ")


def test_a_large_body_without_a_length_is_refused(strict):
    reply = requests.post(strict, data=(b"x" * 5_000 for _ in range(20)), timeout=60)
    assert (reply.status_code, list(reply.json())) == (429, ["error"])


def test_a_slow_body_is_refused(strict):
    url = urlsplit(strict)
    with socket.create_connection((url.hostname, url.port), timeout=60) as client:
        head = (
            f"POST {url.path} HTTP/1.1\r\nHost: localhost\r\n"
            "Content-Length: 10\r\n\r\n{"
        )
        client.sendall(head.encode())
        assert client.recv(1000).startswith(b"HTTP/1.1 504 ")


def test_a_request_whose_client_has_gone_is_not_computed(
    served_root, settings, monkeypatch
):
    begun, go_on = [], threading.Event()
    run = Servable.run

    def slow(*arguments):
        begun.append(threading.get_ident())
        go_on.wait(30)
        return run(*arguments)

    monkeypatch.setattr(Servable, "run", slow)
    one = dataclasses.replace(settings, num_threads=1)
    body = {"instances": np.zeros((1, 32, 32, 1)).tolist()}
    with running_server(ModelRegistry(served_root), one) as address:
        begun.clear()
        url = f"{address.rest_url}/v1/models/tiny:predict"
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(requests.post, url, json=body, timeout=60)
            while not begun:
                time.sleep(0.01)
            with pytest.raises(requests.exceptions.ReadTimeout):
                requests.post(url, json=body, timeout=1)
            time.sleep(0.5)  # until the server has noticed
            go_on.set()
            assert first.result(60).status_code == 200
        assert requests.post(url, json=body, timeout=60).status_code == 200
    assert len(begun) == 2


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/%2e%2e/versions/1",
        "/v1/models/..%2ftiny",
        "/v1/models/%00",
        "/v1/models/tiny/versions/-1",
        "/v1/models/tiny/versions/\u0661",
        "/v1/models/tiny/labels/",
        "/v1/models/" + "a" * 5000,
        "/v1//models/tiny",
    ],
)
def test_odd_paths_are_plain_errors(server, path):
    reply = requests.get(server.rest_url + path, timeout=60)
    assert reply.status_code in (400, 404)
    assert list(reply.json()) == ["error"]


def test_a_path_that_there_is_not_is_an_error_like_others(server):
    reply = requests.get(f"{server.rest_url}/v2/models/tiny", timeout=60)
    assert reply.status_code == 404
    assert reply.headers["content-type"] == "application/json"
    assert reply.json() == {"error": "Malformed request: GET /v2/models/tiny"}


def test_other_methods_are_malformed(server):
    reply = requests.delete(f"{server.rest_url}/v1/models/tiny", timeout=60)
    assert reply.status_code == 400
    assert reply.json() == {"error": "Malformed request: DELETE /v1/models/tiny"}


def test_a_wrong_method_is_told_with_those_that_there_are(server):
    reply = requests.post(
        f"{server.rest_url}/monitoring/prometheus/metrics", timeout=60
    )
    assert reply.status_code == 405
    assert reply.headers["allow"] == "GET"  # RFC 9110, 15.5.6
    assert reply.headers["content-type"] == "application/json"
    assert list(reply.json()) == ["error"]
