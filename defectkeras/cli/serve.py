"""`defectkeras serve`: the models of a registry over REST, gRPC and a page."""

import logging
import signal
import sys
from pathlib import Path

import click

from defectkeras.cli.decimal import Decimal
from defectkeras.cli.main import INTERRUPTED
from defectkeras.cli.options import (
    dry_run_option,
    echo_json,
    json_option,
    registry_option,
    talk,
)
from defectkeras.cli.quiet import start_tensorflow

_PORT = click.IntRange(0, 65535)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--host", default="127.0.0.1", help="Address to listen at.")
@click.option("--port", type=_PORT, default=8501, help="Port of REST and the page.")
@click.option("--grpc-port", type=_PORT, default=8500, help="Port of gRPC.")
@click.option(
    "--token-file",
    type=_FILE,
    help="File with the token that clients must show; this or TLS is needed at an "
    "address that others can reach.",
)
@click.option("--tls-certificate", type=_FILE, help="PEM file of the certificate.")
@click.option("--tls-key", type=_FILE, help="PEM file of the certificate's key.")
@click.option(
    "--max-body-mib", type=click.IntRange(1), default=256, help="Largest request."
)
@click.option(
    "--max-megapixels",
    type=Decimal(0, min_open=True),
    default=16.8,
    help="Most pixels of a request; a network needs some 300 bytes or more for each.",
)
@click.option(
    "--max-requests",
    type=click.IntRange(1),
    default=64,
    help="Most requests at a time; more are refused.",
)
@click.option(
    "--timeout-s",
    type=Decimal(0, min_open=True),
    default=60.0,
    help="Longest time for a request.",
)
@click.option(
    "--batch-size",
    type=click.IntRange(1),
    default=8,
    help="Most images of one size that are computed together.",
)
@click.option(
    "--batch-wait-ms",
    type=Decimal(0),
    default=2.0,
    help="Longest time that a request waits for others to be computed with.",
)
@registry_option
@dry_run_option
@json_option
def serve(
    host: str,
    port: int,
    grpc_port: int,
    token_file: Path | None,
    tls_certificate: Path | None,
    tls_key: Path | None,
    max_body_mib: int,
    max_megapixels: float,
    max_requests: int,
    timeout_s: float,
    batch_size: int,
    batch_wait_ms: float,
    registry_root: Path,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Serve the models of the registry, as TensorFlow Serving does.

    Clients written for TensorFlow Serving work unchanged; a browser finds a page to
    drop micrographs on. The server follows the registry: new versions, aliases and
    rollbacks need no restart. Ctrl-C or SIGTERM ends it when the requests on their way
    are answered.
    """
    from defectkeras.core.errors import RegistryError
    from defectkeras.registry.names import WHERE_MODELS_ARE
    from defectkeras.registry.store import ModelRegistry
    from defectkeras.serving.settings import ServerSettings

    models = ModelRegistry(registry_root)
    if not registry_root.is_dir():
        raise RegistryError(
            f"The registry must be a folder. Received: {registry_root}. "
            f"{WHERE_MODELS_ARE}"
        )
    settings = ServerSettings(
        host=host,
        port=port,
        grpc_port=grpc_port,
        token=token_file.read_text().strip() if token_file else None,
        tls_certificate=tls_certificate,
        tls_key=tls_key,
        max_body_bytes=max_body_mib * 2**20,
        max_pixels=int(1e6 * max_megapixels),
        max_requests=max_requests,
        timeout_s=timeout_s,
        max_batch_size=batch_size,
        max_batch_wait_s=batch_wait_ms / 1000,
    )
    if not models.names():
        talk(f"There is no model in {registry_root} yet. {WHERE_MODELS_ARE}")
    if dry_run:
        talk(f"Would serve {', '.join(models.names()) or 'nothing'} at {host}.")
        if as_json:
            echo_json({"host": host, "models": list(models.names())})
        return
    from defectkeras.serving.packages import require_packages

    require_packages()
    start_tensorflow()
    from defectkeras.serving.server import running_server, wait_for_signal
    from defectkeras.workflows.serve_page import added_page

    logging.basicConfig(format="%(asctime)s %(message)s")
    logging.getLogger("defectkeras").setLevel(logging.INFO)  # alone: fonts log too
    with running_server(models, settings, pages=added_page) as address:
        if as_json:
            echo_json({"rest": address.rest_url, "grpc": address.grpc_url})
            sys.stdout.flush()
        talk(f"Serving {models.root} at {address.rest_url} and {address.grpc_url}.")
        came = wait_for_signal()
        talk("Ending; requests on their way are answered first.")
    if came == signal.SIGINT:
        sys.exit(INTERRUPTED)
