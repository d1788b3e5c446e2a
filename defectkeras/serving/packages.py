"""The packages of the extra `serving`, asked for before they are needed."""

import importlib.util

from defectkeras.core.errors import ServingError

PACKAGES = (
    "fastapi",
    "grpc",
    "prometheus_client",
    "requests",
    "tensorflow_serving",
    "uvicorn",
)


def require_packages() -> None:
    """Check that the extra is installed.

    Raises:
        ServingError: When it is not; what is missing is named.
    """
    missing = [p for p in PACKAGES if importlib.util.find_spec(p) is None]
    if missing:
        raise ServingError(
            f"Serving needs the packages {', '.join(missing)}. Install them with: "
            "pip install 'defectkeras[serving]'."
        )
