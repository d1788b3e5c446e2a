"""The page of `defectkeras serve`: a micrograph in, measured defects out.

What is uploaded is analyzed as `defectkeras analyze` does it, and the report is the
same page. The results of the last uploads are kept in a temporary folder until the
server ends.
"""

import contextlib
import tempfile
from collections.abc import Iterator
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from jinja2 import Environment

from defectkeras.reporting.page import page_environment, read_part
from defectkeras.serving.rest import read_body
from defectkeras.serving.served_models import ServedModels
from defectkeras.serving.settings import ServerSettings
from defectkeras.serving.status import Code, StatusError
from defectkeras.workflows.analyze import PAGE
from defectkeras.workflows.serve_upload import Uploads, analyze_upload, pack

_AT_A_TIME = 2
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_REPORT_HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'self'",  # the rest is in the report
    "X-Content-Type-Options": "nosniff",
}
_FILES = {"page.js": "text/javascript", "page.css": "text/css"}


@contextlib.contextmanager
def added_page(
    app: FastAPI, models: ServedModels, settings: ServerSettings
) -> Iterator[None]:
    """Add the page to the application of a server, as long as that runs.

    Args:
        app: The application.
        models: The models that it serves.
        settings: Its limits are kept.
    """
    with tempfile.TemporaryDirectory(prefix="defectkeras-") as root:
        _add_routes(app, models, settings, Uploads(Path(root).resolve()))
        yield


def _add_routes(
    app: FastAPI, models: ServedModels, settings: ServerSettings, uploads: Uploads
) -> None:
    limiter = CapacityLimiter(_AT_A_TIME)

    async def show_page() -> Response:
        """Show the page."""
        return Response(page_html(models), headers=_HEADERS, media_type="text/html")

    async def show_file(name: str) -> Response:
        """Give script and style of the page."""
        text = read_part(_environment(), name)
        return Response(text, headers=_HEADERS, media_type=_FILES[name])

    async def take(request: Request) -> JSONResponse:
        """Take a micrograph and say where its report is."""
        _require_own_page(request)
        body = await read_body(request, settings)
        run = partial(
            analyze_upload,
            models,
            uploads,
            body,
            request.query_params,
            max_pixels=settings.max_pixels,
        )
        return JSONResponse(await to_thread.run_sync(run, limiter=limiter))

    async def show_archive(key: str) -> Response:
        """Give all files of the results."""
        packed = await to_thread.run_sync(pack, uploads.find(key, PAGE).parent)
        head = {"Content-Disposition": 'attachment; filename="results.zip"'}
        return Response(packed, headers=head, media_type="application/zip")

    async def show_result(key: str, path: str) -> FileResponse:
        """Give a file of the results: the report to look at, others to keep."""
        found = uploads.find(key, path)
        name = None if found.name == PAGE else found.name
        return FileResponse(found, headers=_REPORT_HEADERS, filename=name)

    app.add_api_route("/", show_page, methods=["GET"])
    for name in _FILES:
        app.add_api_route(f"/{name}", partial(show_file, name), methods=["GET"])
    app.add_api_route("/analyze", take, methods=["POST"])
    app.add_api_route("/results/{key}/results.zip", show_archive, methods=["GET"])
    app.add_api_route("/results/{key}/{path:path}", show_result, methods=["GET"])


def page_html(models: ServedModels) -> str:
    """Give the page with the models that can be chosen now."""
    choices = []
    for name, model in sorted(models.models().items()):
        available = model.available()
        labels = {n: [a for a, v in model.labels.items() if v == n] for n in available}
        if available:
            choices.append((name, [(n, labels[n]) for n in sorted(available)[::-1]]))
    template = _environment().get_template("page.html")
    return template.render(choices=choices, software=version("defectkeras"))


def _require_own_page(request: Request) -> None:
    """Refuse what another site lets a browser send."""
    site = request.headers.get("sec-fetch-site", "none")
    if site not in ("same-origin", "none"):
        raise StatusError(Code.PERMISSION_DENIED, f"A request from a {site} page")


@cache
def _environment() -> Environment:
    return page_environment("defectkeras.workflows")
