import socket
import threading
import time

import numpy as np
import pytest

from defectkeras.core.errors import ServingError
from defectkeras.registry.store import ModelRegistry
from defectkeras.serving.grpc_client import GrpcClient
from defectkeras.serving.server import running_server
from defectkeras.serving.settings import ServerSettings
from defectkeras.serving.target import Target

TILE = np.zeros((1, 8, 12, 1), np.float32)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_replies_above_four_mebibytes_come_through(server):
    client = GrpcClient(Target(server.grpc_url, "tiny", 1))
    image = np.zeros((1, 640, 800, 1), np.float32)
    found = client.predict("tiles", {"image": image})["probability_map"]
    assert found.nbytes > 4 * 2**20


def test_a_server_that_starts_a_moment_later_is_found(served_root):
    rest, rpc = free_port(), free_port()
    done = threading.Event()

    def serve_late():
        time.sleep(0.3)
        settings = ServerSettings(port=rest, grpc_port=rpc)
        with running_server(ModelRegistry(served_root), settings):
            done.wait(60)

    thread = threading.Thread(target=serve_late)
    thread.start()
    try:
        client = GrpcClient(Target(f"grpc://127.0.0.1:{rpc}", "tiny", 1, timeout_s=60))
        found = client.predict("tiles", {"image": TILE})["probability_map"]
        assert found.shape == (1, 8, 12, 3)
    finally:
        done.set()
        thread.join()


def test_no_server_is_told_in_time():
    url = f"grpc://127.0.0.1:{free_port()}"
    client = GrpcClient(Target(url, "tiny", 1, timeout_s=0.5))
    with pytest.raises(ServingError, match=url):
        client.predict("tiles", {"image": TILE})
