import base64

import grpc
import numpy as np
import pytest
import requests

from defectkeras.core.errors import ServingError
from defectkeras.registry.store import ModelRegistry
from defectkeras.serving.access import is_allowed, names_this_machine
from defectkeras.serving.client import remote_predict_fn
from defectkeras.serving.server import running_server
from defectkeras.serving.settings import ServerSettings

BASIC = "Basic " + base64.b64encode(b"anybody:s3cret").decode()


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ("Bearer s3cret", True),
        ("bearer s3cret", True),
        (BASIC, True),
        ("", False),
        ("s3cret", False),
        ("Bearer S3cret", False),
        ("Bearer s3cret2", False),
        ("Bearer \xe9", False),
        ("Basic s3cret", False),
        ("Basic ////", False),
        ("Digest s3cret", False),
    ],
)
def test_only_the_token_is_allowed(shown, expected):
    assert is_allowed(shown, "s3cret") is expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1:8501", True),
        ("127.0.0.1", True),
        ("[::1]:8501", True),
        ("[::1]", True),
        ("Localhost:80", True),
        ("192.168.0.7:8501", True),
        ("elsewhere.example:8501", False),
        ("localhost.elsewhere.example", False),
        ("127.0.0.1.elsewhere.example", False),
        ("127.0.0.1:8501@elsewhere.example", False),
        ("", False),
    ],
)
def test_a_host_is_an_address_or_localhost(host, expected):
    assert names_this_machine(host) is expected


def test_rest_and_grpc_want_the_token(served_root):
    registry = ModelRegistry(served_root)
    settings = ServerSettings(port=0, grpc_port=0, token="s3cret")
    tiles = np.zeros((1, 8, 12, 1), np.float32)
    with running_server(registry, settings) as address:
        url = f"{address.rest_url}/v1/models/tiny"
        refused = requests.get(url, timeout=60)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Basic ")
        for header in ("Bearer s3cret", BASIC):
            assert requests.get(url, headers={"Authorization": header}, timeout=60).ok
        version = registry.resolve("tiny@1")
        for base in (address.rest_url, address.grpc_url):
            ask = remote_predict_fn(version, base, token="s3cret")
            assert ask(tiles).shape == (1, 8, 12, 3)
            with pytest.raises(ServingError, match=r"401|UNAUTHENTICATED"):
                remote_predict_fn(version, base, token="other")(tiles)
        channel = grpc.insecure_channel(address.grpc_url.removeprefix("grpc://"))
        with channel, pytest.raises(grpc.RpcError, match="valid token is needed"):
            channel.unary_unary("/tensorflow.serving.ModelService/GetModelStatus")(b"")
