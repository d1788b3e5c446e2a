"""What clients notice while the server's models change and the server dies. (Nothing.)

    python benchmarks/serving_load.py [REQUESTS [CLIENTS]]

`defectkeras serve` runs over a registry of three tiny versions. Clients ask it over
gRPC and REST for the version that "production" means, while that is promoted and rolled
back all the time, the server is killed and started again, and others send what is
malformed, too large or too slow. Every answer is compared with what the version that
gave it gives in this process. The memory of the last server is told after a tenth of
its requests and after the last one.
"""

import argparse
import itertools
import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import keras
import numpy as np
import psutil
import requests
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.registry.card import ModelCard
from defectkeras.registry.load import load_predict_fn
from defectkeras.registry.store import ModelRegistry

TILE = np.random.default_rng(0).random((1, 32, 48, 1), dtype=np.float32)
TRIES = 20  # of a request, half a second apart, beside the starts of the server
OPTIONS = [("grpc.max_reconnect_backoff_ms", 500)]  # two minutes else


@dataclass
class Tally:
    """What was seen."""

    seconds: dict[str, list[float]] = field(
        default_factory=lambda: {"gRPC": [], "REST": []}
    )
    retried: int = 0
    lost: int = 0
    wrong: int = 0
    by_version: dict[int, int] = field(default_factory=dict)
    refused: dict[str, list[str]] = field(default_factory=dict)
    moves: int = 0
    kills: int = 0
    memory_mib: tuple[float, ...] = ()
    lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_for(self, done: float) -> None:
        """Wait until so many requests are answered, or lost."""
        while sum(map(len, self.seconds.values())) + self.lost < done:
            time.sleep(0.05)


def make_registry(root: Path) -> tuple[ModelRegistry, dict[int, np.ndarray]]:
    """Publish three versions; give what each makes of the tile."""
    registry = ModelRegistry(root)
    classes = (DefectClass(0, "matrix", "matrix"), DefectClass(1, "void", "region"))
    card = ModelCard(
        name="tiny",
        description="Drawn.",
        architecture="tiny",
        arguments={},
        scheme=LabelScheme(classes),
        stride=1,
        receptive_field_px=3,
        pixel_size_range_nm=None,
        dataset_name="drawn",
        dataset_fingerprint="sha256:" + "0" * 64,
        split={"train": ["a"]},
        license="Apache-2.0",
        attribution="Drawn.",
        config={},
        metrics={},
        environment={},
        intended_use="This benchmark.",
        limits="Everything else.",
        created="2026-01-02T03:04:05+00:00",
    )
    expected = {}
    for seed in range(3):
        image = keras.Input((None, None, 1))
        layer = keras.layers.Conv2D(2, 3, padding="same")
        model = keras.Model(image, layer(image))
        random = np.random.default_rng(seed)
        model.set_weights([random.normal(size=w.shape) for w in model.get_weights()])
        golden = 1000 * TILE[0, :, :, 0]
        version = registry.publish("tiny", model, card, golden_image=golden)
        expected[version.version] = load_predict_fn(version)(TILE)
    registry.set_alias("tiny", "production", 1)
    return registry, expected


class Server:
    """`defectkeras serve` on two ports, killed and started again."""

    def __init__(self, root: Path) -> None:
        self.ports = tuple(free_port() for _ in range(2))
        self.root = root
        self.is_up = threading.Event()
        self.start()

    def start(self) -> None:
        words = "-m defectkeras serve --json --timeout-s 20 --max-body-mib 1"
        command = [sys.executable, *words.split(), "--registry", str(self.root)]
        command += ["--port", str(self.ports[0]), "--grpc-port", str(self.ports[1])]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        while self.process.stdout.readline() not in (b"}\n", b""):
            pass
        self.is_up.set()

    def kill(self) -> None:
        self.is_up.clear()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def memory_mib(self) -> float:
        return psutil.Process(self.process.pid).memory_info().rss / 2**20

    @property
    def rest(self) -> str:
        return f"http://127.0.0.1:{self.ports[0]}/v1/models/tiny"

    @property
    def grpc(self) -> str:
        return f"127.0.0.1:{self.ports[1]}"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def ask_grpc(stub: prediction_service_pb2_grpc.PredictionServiceStub):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "tiny"
    request.model_spec.version_label = "production"
    request.model_spec.signature_name = "tiles"
    request.inputs["image"].CopyFrom(tf.make_tensor_proto(TILE))
    response = stub.Predict(request, timeout=30)
    found = tf.make_ndarray(response.outputs["probability_map"])
    return response.model_spec.version.value, found


def ask_rest(session: requests.Session, url: str):
    """REST does not say which version has answered; None then."""
    body = {"signature_name": "tiles", "instances": TILE.tolist()}
    reply = session.post(f"{url}/labels/production:predict", json=body, timeout=30)
    if reply.status_code != 200:
        raise requests.ConnectionError(reply.text)
    return None, np.asarray(reply.json()["predictions"], np.float32)


def be_a_client(
    number: int,
    numbers: "itertools.count[int]",
    total: int,
    server: Server,
    tally: Tally,
) -> None:
    """Ask until all requests are made; one that fails is made again."""
    kind = "REST" if number % 4 == 3 else "gRPC"
    channel = grpc.insecure_channel(server.grpc, OPTIONS)
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    session = requests.Session()
    while next(numbers) < total:
        for attempt in range(TRIES + 1):
            start = time.perf_counter()
            try:
                if kind == "gRPC":
                    version, found = ask_grpc(stub)
                else:
                    version, found = ask_rest(session, server.rest)
            except (grpc.RpcError, requests.RequestException):
                with tally.lock:
                    tally.retried += attempt == 0
                    tally.lost += attempt == TRIES
                server.is_up.wait()  # a start takes minutes on a busy machine
                time.sleep(0.5)
                continue
            check(version, found, kind, time.perf_counter() - start, tally)
            break
    channel.close()


def check(version, found, kind: str, seconds: float, tally: Tally) -> None:
    matching = [
        v
        for v, expected in EXPECTED.items()
        if found.shape == expected.shape and np.abs(found - expected).max() < 1e-5
    ]
    with tally.lock:
        tally.seconds[kind].append(seconds)
        tally.wrong += matching != [version] if version else len(matching) != 1
        for v in matching:
            tally.by_version[v] = tally.by_version.get(v, 0) + 1


def move_aliases(registry: ModelRegistry, stop: threading.Event, tally: Tally) -> None:
    """Promote 2 and 3 in turn, and roll back."""
    for version in itertools.cycle((2, 3)):
        registry.set_alias("tiny", "production", version, why="load")
        stop.wait(0.7)
        registry.rollback("tiny", "production", why="load")
        tally.moves += 2
        if stop.wait(0.7):
            return


def be_a_nuisance(server: Server, stop: threading.Event, tally: Tally) -> None:
    """Send what no server should have to read."""
    predict = f"{server.rest}:predict"
    bodies = {
        "malformed": b"{" * 1000,
        "deep": b'{"instances": ' + b"[" * 100_000,
        "oversized": b"x" * (2 << 20),
        "wrong type": json.dumps({"instances": ["x"]}).encode(),
        "no image": json.dumps(
            {"signature_name": "serve_encoded", "instances": [{"b64": "AAAA"}]}
        ).encode(),
    }
    slow = []
    while not stop.is_set():
        for name, body in bodies.items():
            try:
                reply = requests.post(predict, data=body, timeout=30)
                told = f"{reply.status_code}"
                json.loads(reply.text)["error"]
            except requests.RequestException:
                told = "away"
            except (ValueError, KeyError):
                told = "no JSON"
            with tally.lock:
                tally.refused.setdefault(name, []).append(told)
        try:
            held = socket.create_connection(("127.0.0.1", server.ports[0]), timeout=5)
            held.sendall(b"POST /v1/models/tiny:predict HTTP/1.1\r\nHost: x\r\n")
            slow.append(held)
        except OSError:
            pass
        while len(slow) > 20:
            slow.pop(0).close()
        stop.wait(0.2)
    for held in slow:
        held.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("requests", type=int, nargs="?", default=10_000)
    parser.add_argument("clients", type=int, nargs="?", default=16)
    arguments = parser.parse_args()
    total, clients = arguments.requests, arguments.clients
    kills = max(1, total // 3000)
    tally, stop = Tally(), threading.Event()
    with tempfile.TemporaryDirectory() as name:
        registry, expected = make_registry(Path(name))
        EXPECTED.update(expected)
        server = Server(Path(name))
        others = [
            threading.Thread(target=move_aliases, args=(registry, stop, tally)),
            threading.Thread(target=be_a_nuisance, args=(server, stop, tally)),
        ]
        for thread in others:
            thread.start()
        numbers, began = itertools.count(), time.perf_counter()
        with ThreadPoolExecutor(clients) as pool:
            waiting = [
                pool.submit(be_a_client, i, numbers, total, server, tally)
                for i in range(clients)
            ]
            for kill in range(1, kills + 1):
                tally.wait_for(total * kill / (kills + 1))
                server.kill()
                server.start()
                tally.kills += 1
            tally.wait_for(total * (1 - 0.9 / (kills + 1)))
            before = server.memory_mib()
            for client in waiting:
                client.result()
            tally.memory_mib = before, server.memory_mib()
        took = time.perf_counter() - began
        stop.set()
        for thread in others:
            thread.join()
        server.kill()
    return report(total, clients, took, tally)


def report(total: int, clients: int, took: float, tally: Tally) -> int:
    answered = sum(map(len, tally.seconds.values()))
    print(f"requests             {total} from {clients} clients in {took:.0f} s")
    print(f"answered             {answered}")
    print(f"lost                 {tally.lost}")
    print(f"answered wrongly     {tally.wrong}")
    print(f"made more than once  {tally.retried}")
    print(f"kills of the server  {tally.kills}")
    print(f"moves of the alias   {tally.moves}")
    before, after = tally.memory_mib
    print(f"memory of the server {before:.0f} MiB, then {after:.0f} MiB")
    print(f"by version           {dict(sorted(tally.by_version.items()))}")
    for kind, seconds in tally.seconds.items():
        p50, p95, p99 = 1000 * np.percentile(seconds, [50, 95, 99])
        print(f"{kind:<21}p50 {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms")
    for name, told in tally.refused.items():
        counts = {status: told.count(status) for status in sorted(set(told))}
        print(f"{name:<21}{counts}")
    bad = any("200" in t or "no JSON" in t for t in tally.refused.values())
    return int(bool(tally.lost or tally.wrong or answered != total or bad))


EXPECTED: dict[int, np.ndarray] = {}

if __name__ == "__main__":
    sys.exit(main())
