"""What it takes to run TensorFlow Serving itself over a registry.

The registry is mounted as it is, read-only; which versions are served and what the
labels mean stands in `models.config` in its root, which follows every alias.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from defectkeras.core.files import whole_folder
from defectkeras.registry.server_config import (
    SERVER_CONFIG,
    server_config_text,
    write_server_config,
)
from defectkeras.registry.store import ModelRegistry

IMAGE = "tensorflow/serving:2.20.0"
BASE = "/models"
"""The registry as the container sees it."""

_POLL_S = 2

_MONITORING = """\
prometheus_config {
  enable: true
  path: "/monitoring/prometheus/metrics"
}
"""

_HEALTHY = """\
#!/usr/bin/env bash
# Exit status 0 when every model has a version that answers.
#   healthy.sh MODELS_CONFIG [HOST [PORT]]
# Needs bash alone, as the image has no curl.
host=${2:-127.0.0.1} port=${3:-8501}
for model in $(sed -n 's/^ *name: "\\(.*\\)"$/\\1/p' "$1"); do
  exec 3<>"/dev/tcp/$host/$port" || exit 1
  printf 'GET /v1/models/%s HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' "$model" >&3
  grep -q '"AVAILABLE"' <&3 || exit 1
  exec 3>&-
done
"""


@dataclass(frozen=True)
class Deployment:
    """What would be, or was, written.

    Attributes:
        folder: For all files but `models.config`.
        files: Name to text.
        server_config: The file in the registry.
        server_config_text: What stands in it.
    """

    folder: Path
    files: dict[str, str]
    server_config: Path
    server_config_text: str


def plan_deployment(
    registry: ModelRegistry, folder: Path, *, batching: bool = False
) -> Deployment:
    """Give the files of a deployment.

    Args:
        registry: The models.
        folder: Where the files go.
        batching: Whether the server computes requests together. TensorFlow Serving
            then refuses requests of other sizes that come at the same time, so it is
            for clients that send tiles of one size alone.
    """
    root = registry.root.absolute()
    files = {
        "docker-compose.yaml": _compose(root, batching),
        "batching.config": _batching(os.cpu_count() or 1),
        "monitoring.config": _MONITORING,
        "healthy.sh": _HEALTHY,
    }
    name = next(iter(registry.names()), None)
    newest = registry.versions(name)[-1] if name else 1
    files["README.md"] = _readme(root, name or "NAME", newest, _flags(batching))
    text = server_config_text(registry.root, BASE) if root.is_dir() else ""
    return Deployment(folder, files, root / SERVER_CONFIG, text)


def write_deployment(
    registry: ModelRegistry, deployment: Deployment, *, replace: bool = False
) -> None:
    """Write the files of a deployment.

    Args:
        registry: The models.
        deployment: From `plan_deployment`.
        replace: Whether an older folder gives way.

    Raises:
        FileExistsError: When there is an older folder and `replace` is false.
        RegistryError: When the registry cannot be written; no folder is left then.
    """
    with whole_folder(deployment.folder, replace=replace) as temporary:
        for name, text in deployment.files.items():
            (temporary / name).write_text(text, encoding="utf-8")
        (temporary / "healthy.sh").chmod(0o755)
        write_server_config(registry.root, BASE)


def _flags(batching: bool) -> list[str]:
    """Give the flags of the server, as the container sees the files."""
    flags = [
        f"--model_config_file={BASE}/{SERVER_CONFIG}",
        f"--model_config_file_poll_wait_seconds={_POLL_S}",
        # At its start no version is loaded, so that every label would be refused.
        "--allow_version_labels_for_unavailable_models=true",
        "--monitoring_config_file=/deployment/monitoring.config",
        "--enable_profiler=false",
    ]
    if batching:
        flags += [
            "--enable_batching=true",
            "--batching_parameters_file=/deployment/batching.config",
        ]
    return flags


def _compose(root: Path, batching: bool) -> str:
    """Give the compose file; JSON's text in quotes is YAML's, "$" is doubled."""
    mount = json.dumps(f"{root}:{BASE}:ro").replace("$", "$$")
    command = "\n".join(f"      - {flag}" for flag in _flags(batching))
    return f"""\
# Written by defectkeras. The ports are those of this machine alone: TensorFlow Serving
# asks nobody who he is, and whoever reaches its gRPC port may let it load any folder.
services:
  tensorflow-serving:
    image: {IMAGE}
    command:
{command}
    ports:
      - "127.0.0.1:8500:8500"  # gRPC
      - "127.0.0.1:8501:8501"  # REST
    volumes:
      - {mount}
      - "./:/deployment:ro"
    security_opt:
      - no-new-privileges:true
    healthcheck:
      test: ["CMD", "bash", "/deployment/healthy.sh", "{BASE}/{SERVER_CONFIG}"]
      interval: 10s
      timeout: 5s
      start_period: 60s
    restart: unless-stopped
"""


def _batching(num_threads: int) -> str:
    return f"""\
max_batch_size {{ value: 8 }}
batch_timeout_micros {{ value: 2000 }}
max_enqueued_batches {{ value: 64 }}
num_batch_threads {{ value: {num_threads} }}
"""


def _readme(root: Path, name: str, newest: int, flags: list[str]) -> str:
    bare = " \\\n      ".join(f.replace("/deployment", "$PWD") for f in flags)
    return f"""\
# TensorFlow Serving over {root}

Start it, wait until it is healthy, and stop it:

    docker compose up --detach --wait
    docker compose ps
    docker compose down

Ask it:

    curl http://127.0.0.1:8501/v1/models/{name}
    curl http://127.0.0.1:8501/v1/models/{name}/metadata
    curl http://127.0.0.1:8501/monitoring/prometheus/metrics
    defectkeras analyze field_1.tif --model {name} --out results \\
        --registry {root} --runtime serving --url grpc://127.0.0.1:8500

Change what it serves, without a restart; it reads `models.config` every {_POLL_S} s:

    defectkeras registry promote {name}@{newest} --registry {root}
    defectkeras registry rollback {name} --registry {root}

A label moves in two steps. The file lists the old and the new version at once; the
server loads the new one, refuses to move the label until it is available (its log says
so), and moves it at a later reading. Nobody is without an answer meanwhile.

Without Docker, with `tensorflow_model_server` 2.20 or newer: let the server see the
registry at {BASE} (a link does), then

    tensorflow_model_server --port=8500 --rest_api_port=8501 \\
      {bare}

`--grpc_channel_arguments` and others are told by `tensorflow_model_server --help`.
It listens at all addresses of the machine, so let a firewall close both ports.

- batching.config is in use only when `deploy` was given `--batching`: then requests of
  another size that come at the same time are refused.
- Each version brings warm-up requests, which the server answers to itself before it
  calls the version available. A request that fails is a version that is not served.
- Ports are open to this machine alone. To open them, put a proxy with TLS, a check of
  who asks and a limit of the body's size in front.
"""
