"""One process over a registry that answers REST, gRPC and what else is given."""

import contextlib
import logging
import queue
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import grpc
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from defectkeras.core.errors import ServingError
from defectkeras.registry.store import ModelRegistry
from defectkeras.serving.access import HostMiddleware, TokenInterceptor, TokenMiddleware
from defectkeras.serving.batching import Batcher
from defectkeras.serving.grpc_services import ModelService, PredictionService
from defectkeras.serving.monitoring import Metrics
from defectkeras.serving.predictor import Predictor
from defectkeras.serving.prompt_protocol import PromptProtocol
from defectkeras.serving.rest import create_app
from defectkeras.serving.served_models import ServedModels
from defectkeras.serving.settings import ServerSettings

LOG = logging.getLogger(__name__)
_GRACE_S = 30

Pages = Callable[
    [FastAPI, ServedModels, ServerSettings], contextlib.AbstractContextManager[None]
]
"""Adds pages to the application while it runs; a package above brings them."""


@dataclass(frozen=True)
class Address:
    """Where a server that has started is found.

    Attributes:
        rest_url: Of REST and the page.
        grpc_url: As the client takes it.
    """

    rest_url: str
    grpc_url: str


@contextlib.contextmanager
def running_server(
    registry: ModelRegistry,
    settings: ServerSettings,
    *,
    pages: Pages | None = None,
) -> Iterator[Address]:
    """Serve the models of a registry; on leaving, what is on its way is answered.

    Args:
        registry: The models; they are loaded before anything is answered.
        settings: How.
        pages: Adds pages.

    Raises:
        ServingError: When it cannot listen.
    """
    models = ServedModels(registry, poll_s=settings.poll_s)
    batcher = Batcher(
        num_threads=settings.num_threads,
        max_batch_size=settings.max_batch_size,
        max_pixels=settings.max_pixels,
        max_wait_s=settings.max_batch_wait_s,
        max_jobs=settings.max_requests,
    )
    predictor = Predictor(
        models,
        batcher,
        Metrics(),
        max_requests=settings.max_requests,
        max_pixels=settings.max_pixels,
    )
    app = create_app(predictor, settings)
    with contextlib.ExitStack() as stack:
        stack.callback(batcher.stop)
        if pages is not None:
            stack.enter_context(pages(app, models, settings))
        listener = stack.enter_context(_listening(settings))
        stack.callback(models.stop)
        grpc_server = _make_grpc_server(predictor, settings)
        grpc_port = _add_port(grpc_server, settings)
        models.start()
        stack.enter_context(_started(grpc_server))
        stack.enter_context(_http_server(app, settings, listener))
        tls = "s" if settings.tls_certificate else ""
        host = _in_url(settings.host)
        yield Address(
            f"http{tls}://{host}:{listener.getsockname()[1]}",
            f"grpc{tls}://{host}:{grpc_port}",
        )


def wait_for_signal() -> signal.Signals:
    """Wait for SIGTERM or Ctrl-C, and tell which; a second one ends at once."""
    come: queue.SimpleQueue[int] = queue.SimpleQueue()
    signals = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.getsignal(number) for number in signals}

    def end(number: int, _: object) -> None:
        come.put(number)
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in signals:
        signal.signal(number, end)
    return signal.Signals(come.get())


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _listening(settings: ServerSettings) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        return socket.create_server(
            (settings.host, settings.port), family=family, backlog=1024
        )
    except OSError as error:
        raise ServingError(
            f"The server must be able to listen at {settings.host}:{settings.port}, "
            f"but: {error.strerror}. Choose another --port."
        ) from error


@contextlib.contextmanager
def _http_server(
    app: FastAPI, settings: ServerSettings, listener: socket.socket
) -> Iterator[None]:
    """Answer over HTTP in a thread."""
    guarded: ASGIApp = app
    if settings.token:
        guarded = TokenMiddleware(app, settings.token)
    elif not settings.tls_certificate:  # which names the host
        guarded = HostMiddleware(app)
    config = uvicorn.Config(
        guarded,
        http=PromptProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=4 * settings.max_requests,
        timeout_graceful_shutdown=_GRACE_S,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise ServingError("The HTTP server ended before it had started.")
            time.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        thread.join()


def _make_grpc_server(predictor: Predictor, settings: ServerSettings) -> grpc.Server:
    """Make what answers over gRPC when it is started."""
    server = grpc.server(
        # Some more, so that the predictor refuses and not gRPC: clients ask again then.
        ThreadPoolExecutor(settings.max_requests + 8, "grpc"),
        interceptors=[TokenInterceptor(settings.token)] if settings.token else [],
        maximum_concurrent_rpcs=4 * settings.max_requests,
        options=[
            ("grpc.max_receive_message_length", settings.max_body_bytes),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 0),
        ],
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(predictor, timeout_s=settings.timeout_s), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(
        ModelService(predictor.models), server
    )
    return server


@contextlib.contextmanager
def _started(server: grpc.Server) -> Iterator[None]:
    """Answer over gRPC in threads."""
    server.start()
    try:
        yield
    finally:
        server.stop(_GRACE_S).wait()


def _add_port(server: grpc.Server, settings: ServerSettings) -> int:
    address = f"{_in_url(settings.host)}:{settings.grpc_port}"
    try:
        if not (settings.tls_certificate and settings.tls_key):
            return int(server.add_insecure_port(address))
        pair = (settings.tls_key.read_bytes(), settings.tls_certificate.read_bytes())
        credentials = grpc.ssl_server_credentials([pair])
        return int(server.add_secure_port(address, credentials))
    except OSError as error:
        raise ServingError(
            f"{error.filename} cannot be read: {error.strerror}."
        ) from error
    except RuntimeError as error:  # which does not say why
        raise ServingError(
            f"The server must be able to listen at {address}, but that is taken, or no "
            "address of this machine. Choose another --grpc-port."
        ) from error
