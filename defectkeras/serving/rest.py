"""The REST API of TensorFlow Serving, its paths, bodies and errors.

The paths are matched as TensorFlow Serving matches them: without regard to case, and
names are decoded afterwards, so that no name can reach another path.
"""

import asyncio
import contextlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from typing import Any
from urllib.parse import unquote

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, Request, Response
from google.protobuf.json_format import MessageToDict, MessageToJson
from starlette.exceptions import HTTPException
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
)

from defectkeras.core.errors import DefectKerasError
from defectkeras.serving.batching import Outputs
from defectkeras.serving.grpc_services import get_metadata, get_status
from defectkeras.serving.json_tensors import (
    invalid,
    parse_request,
    read_tensors,
    write_tensors,
)
from defectkeras.serving.monitoring import METRICS_PATH
from defectkeras.serving.pixel_limit import require_few_numbers
from defectkeras.serving.predictor import Predictor, Wanted
from defectkeras.serving.settings import ServerSettings
from defectkeras.serving.status import Code, StatusError, error_body

_WHICH = r"(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
_PREDICT = re.compile(
    rf"/v1/models/(?P<name>[^/:]+){_WHICH}:(?P<method>classify|regress|predict)",
    re.IGNORECASE | re.ASCII,
)
_STATUS = re.compile(
    rf"/v1/models(?:/(?P<name>[^/:]+))?{_WHICH}(?:/(?P<part>metadata))?",
    re.IGNORECASE | re.ASCII,
)
_INT64_MAX = 2**63 - 1
_READING = threading.Lock()


def create_app(predictor: Predictor, settings: ServerSettings) -> FastAPI:
    """Give the application that answers over HTTP.

    Args:
        predictor: Answers predictions.
        settings: Its limits are kept.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    limiter = CapacityLimiter(settings.max_requests)

    async def answer_v1(request: Request) -> Response:
        """Answer what TensorFlow Serving answers below /v1/."""
        body = await read_body(request, settings)
        path = request.scope["raw_path"].decode("ascii", errors="replace")
        future: Future[Outputs] = Future()
        answer = partial(
            _answer, predictor, request.method, path, body, settings, future
        )
        watching = asyncio.create_task(_cancel_when_gone(request, future))
        try:
            text = await to_thread.run_sync(answer, limiter=limiter)
        finally:
            watching.cancel()
        return Response(text, media_type="application/json")

    async def metrics() -> Response:
        """Tell Prometheus what was counted."""
        return Response(predictor.metrics.page(), media_type="text/plain")

    methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
    for root in ("/v1", "/V1"):
        app.add_api_route(f"{root}/{{path:path}}", answer_v1, methods=methods)
    app.add_api_route(METRICS_PATH, metrics, methods=["GET"])
    app.add_exception_handler(DefectKerasError, _tell_error)
    app.add_exception_handler(HTTPException, _tell_malformed)
    return app


async def _tell_error(_: Request, error: Exception) -> Response:
    """Give the reply to a request that cannot be answered."""
    status = error.http_status if isinstance(error, StatusError) else 400
    return Response(error_body(str(error)), status, media_type="application/json")


async def _tell_malformed(request: Request, error: Exception) -> Response:
    """Give the reply to a path, or a method, that there is not."""
    told = error if isinstance(error, HTTPException) else HTTPException(404)
    body = error_body(f"Malformed request: {request.method} {request.url.path}")
    return Response(body, told.status_code, told.headers, "application/json")


async def read_body(request: Request, settings: ServerSettings) -> bytes:
    """Read a body that is neither too large nor too slow.

    Raises:
        StatusError: When it is.
    """
    too_large = StatusError(
        Code.RESOURCE_EXHAUSTED,
        f"A body may have {settings.max_body_bytes} bytes at most",
    )
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared[:20]) > settings.max_body_bytes:
        raise too_large
    chunks, size = [], 0
    try:
        async with asyncio.timeout(settings.timeout_s):
            async for chunk in request.stream():
                size += len(chunk)
                if size > settings.max_body_bytes:
                    raise too_large
                chunks.append(chunk)
    except TimeoutError:
        raise StatusError(
            Code.DEADLINE_EXCEEDED, f"No body within {settings.timeout_s:g} s"
        ) from None
    return b"".join(chunks)


async def _cancel_when_gone(request: Request, future: "Future[Outputs]") -> None:
    """Cancel what a client has asked for when it does not wait any longer."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    future.cancel()


def _answer(
    predictor: Predictor,
    method: str,
    path: str,
    body: bytes,
    settings: ServerSettings,
    future: "Future[Outputs]",
) -> str:
    """Answer a request below /v1/, in a thread of its own."""
    if method == "POST" and (found := _PREDICT.fullmatch(path)):
        if found["method"].lower() != "predict":
            raise StatusError(
                Code.UNIMPLEMENTED, f"{found['method']} is not for segmentation"
            )
        return _predict(predictor, _wanted(found), body, settings, future)
    if method == "GET" and (found := _STATUS.fullmatch(path)):
        if found["name"] is None:
            raise invalid("Missing model name in request.")
        tell: Callable[[Predictor, Wanted], str]
        tell = _metadata if found["part"] else _status
        return tell(predictor, _wanted(found))
    raise invalid(f"Malformed request: {method} {path}")


def _wanted(found: re.Match[str]) -> Wanted:
    version = found["version"]
    if version is not None and int(version[:20]) > _INT64_MAX:
        raise invalid(f"Failed to convert version: {version[:40]} to numeric.")
    return Wanted(
        name=unquote(found["name"]),
        version=None if version is None else int(version),
        label=None if found["label"] is None else unquote(found["label"]),
    )


def _predict(
    predictor: Predictor,
    wanted: Wanted,
    body: bytes,
    settings: ServerSettings,
    future: "Future[Outputs]",
) -> str:
    require_few_numbers(body, settings.max_pixels)
    with contextlib.ExitStack() as reading:
        reading.enter_context(_one_reads(settings.timeout_s))
        document = parse_request(body)
        has_rows = "instances" in document
        signature_name = document.get("signature_name", "")

        def read_inputs(servable: Any, signature: str) -> Any:
            if signature not in servable.signatures:
                raise invalid(
                    f'Serving signature name: "{signature}" not found in signature def'
                )
            tensors = read_tensors(document, servable.inputs_of(signature))
            document.clear()
            reading.close()
            return tensors

        wanted = Wanted(wanted.name, wanted.version, wanted.label, signature_name)
        _, _, outputs = predictor.predict(
            wanted,
            read_inputs,
            entrypoint="REST",
            timeout_s=settings.timeout_s,
            future=future,
        )
    return write_tensors(outputs, rows=has_rows)


@contextlib.contextmanager
def _one_reads(timeout_s: float) -> Iterator[None]:
    """Let one body at a time become lists, which need a hundred bytes for each number.

    That is no slower, since Python's interpreter does it for one at a time anyway.
    """
    if not _READING.acquire(timeout=timeout_s):
        raise StatusError(Code.DEADLINE_EXCEEDED, f"Not read within {timeout_s:g} s")
    try:
        yield
    finally:
        _READING.release()


def _status(predictor: Predictor, wanted: Wanted) -> str:
    request = get_model_status_pb2.GetModelStatusRequest()
    _fill(request.model_spec, wanted)
    response = get_status(predictor.models, request)
    # This proto says itself how its fields are called in JSON.
    return f"{MessageToJson(response, always_print_fields_with_no_presence=True)}\n"


def _metadata(predictor: Predictor, wanted: Wanted) -> str:
    request = get_model_metadata_pb2.GetModelMetadataRequest(
        metadata_field=["signature_def"]
    )
    _fill(request.model_spec, wanted)
    response = get_metadata(predictor.models, request)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    response.metadata["signature_def"].Unpack(signatures)
    document = {
        "model_spec": _plain(response.model_spec),
        "metadata": {"signature_def": _plain(signatures)},
    }
    return json.dumps(document, indent=1) + "\n"


def _fill(spec: Any, wanted: Wanted) -> None:
    spec.name = wanted.name
    if wanted.version is not None:
        spec.version.value = wanted.version
    if wanted.label is not None:
        spec.version_label = wanted.label


def _plain(message: Any) -> Any:
    return MessageToDict(
        message,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
    )
