import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest
import requests

from defectkeras.core.errors import ServingError
from defectkeras.serving.rest_client import RestClient
from defectkeras.serving.target import Target

TILE = np.zeros((1, 8, 12, 1), np.float32)


@pytest.fixture
def flaky():
    """A server that is full twice, then answers, and notes what it was asked."""

    class Handler(BaseHTTPRequestHandler):
        asked = 0

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            type(self).asked += 1
            ok = type(self).asked > 2
            body = b'{"outputs": [[1, 2]]}' if ok else b'{"error": "full"}'
            self.send_response(200 if ok else 503)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", Handler
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_full_server_is_asked_again(flaky):
    url, handler = flaky
    found = RestClient(Target(url, "tiny", 1)).predict("tiles", {"image": TILE})
    assert found[""].tolist() == [[1, 2]]
    assert handler.asked == 3


def test_wanted_outputs_are_given(server, pixels):
    client = RestClient(Target(server.rest_url, "tiny", 1))
    image = (pixels % 256)[np.newaxis, :, :, np.newaxis]
    found = client.predict("serve_uint8", {"image": image}, ["class_map"])
    assert {name: value.shape for name, value in found.items()} == {
        "class_map": (1, 37, 53)
    }


def test_a_server_that_does_not_speak_json_is_told(server):
    client = RestClient(Target(f"{server.rest_url}/elsewhere", "tiny", 1))
    with pytest.raises(ServingError, match="must answer for tiny@1"):
        client.predict("tiles", {"image": TILE})


def test_no_server_is_told_without_the_words_of_a_library(monkeypatch):
    def refuse(*_, **__):
        raise requests.ConnectionError("HTTPConnectionPool(...)")

    monkeypatch.setattr(requests.Session, "post", refuse)
    client = RestClient(Target("http://127.0.0.1:9", "tiny", 1))
    with pytest.raises(ServingError, match="but: nothing there speaks HTTP"):
        client.predict("tiles", {"image": TILE})
