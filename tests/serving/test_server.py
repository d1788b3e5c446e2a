import contextlib
import os
import signal
import subprocess
import threading
import time

import numpy as np
import pytest
import requests

from defectkeras.core.errors import ServingError
from defectkeras.registry.store import ModelRegistry
from defectkeras.serving.client import remote_predict_fn
from defectkeras.serving.server import running_server, wait_for_signal
from defectkeras.serving.settings import ServerSettings

TILE = np.zeros((1, 8, 12, 1), np.float32)


def test_a_taken_port_is_told(served_root, server):
    taken = int(server.rest_url.rpartition(":")[2])
    settings = ServerSettings(port=taken, grpc_port=0)
    with (
        pytest.raises(ServingError, match=f"127.0.0.1:{taken}.*Choose another --port"),
        running_server(ModelRegistry(served_root), settings),
    ):
        pass
    settings = ServerSettings(port=0, grpc_port=taken)
    with (
        pytest.raises(ServingError, match="Choose another --grpc-port"),
        running_server(ModelRegistry(served_root), settings),
    ):
        pass


def test_promotions_and_rollbacks_are_followed(own_registry, settings):
    with running_server(own_registry, settings) as address:
        url = f"{address.rest_url}/v1/models/tiny/labels/production"

        def served():
            (told,) = requests.get(url, timeout=60).json()["model_version_status"]
            return told["version"], told["state"]

        own_registry.set_alias("tiny", "production", 3)
        limit = time.monotonic() + 60
        while served() != ("3", "AVAILABLE") and time.monotonic() < limit:
            time.sleep(0.02)
        own_registry.rollback("tiny", "production")
        while served() != ("1", "AVAILABLE") and time.monotonic() < limit:
            time.sleep(0.02)
        assert served() == ("1", "AVAILABLE")


def test_requests_on_their_way_are_answered_at_the_end(served_root, settings):
    version = ModelRegistry(served_root).resolve("tiny@1")
    replies = []
    with running_server(ModelRegistry(served_root), settings) as address:
        ask = remote_predict_fn(version, address.rest_url)
        ask(TILE)
        large = np.zeros((2, 200, 200, 1), np.float32)
        thread = threading.Thread(target=lambda: replies.append(ask(large)))
        thread.start()
        page = f"{address.rest_url}/monitoring/prometheus/metrics"
        while not replies and "requests_running 0.0" in requests.get(page).text:
            time.sleep(0.001)
    thread.join()
    assert replies[0].shape == (2, 200, 200, 3)


def test_tls_protects_both(served_root, tmp_path):
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    command = (
        f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout {key} "
        f"-out {certificate} -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    )
    with contextlib.suppress(FileNotFoundError):
        subprocess.run(command.split(), check=True, capture_output=True)
    if not certificate.exists():
        pytest.skip("openssl is not installed")
    settings = ServerSettings(
        port=0, grpc_port=0, tls_certificate=certificate, tls_key=key
    )
    with running_server(ModelRegistry(served_root), settings) as address:
        assert address.rest_url.startswith("https://")
        assert address.grpc_url.startswith("grpcs://")
        url = f"{address.rest_url}/v1/models/tiny"
        assert requests.get(url, verify=str(certificate), timeout=60).ok
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(url, timeout=60)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_waiting(number):
    before = signal.getsignal(signal.SIGTERM)
    ctrl_c = signal.getsignal(signal.SIGINT)

    def send():
        while signal.getsignal(signal.SIGINT) is ctrl_c:  # else it ends the tests
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    sender = threading.Thread(target=send)
    sender.start()
    assert wait_for_signal() == number
    sender.join()
    assert signal.getsignal(signal.SIGTERM) == before
