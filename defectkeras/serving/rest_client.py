"""A client that speaks REST, for networks that let nothing else through."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import numpy as np
import requests
from numpy.typing import NDArray
from requests.adapters import HTTPAdapter
from requests.exceptions import SSLError
from urllib3.util.retry import Retry

from defectkeras.serving.target import Target, Tensors, no_answer, no_connection


class RestClient:
    """Speaks REST, a few times slower than gRPC.

    Args:
        target: The version.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        base = target.url.rstrip("/")
        self._url = (
            f"{base}/v1/models/{quote(target.name)}/versions/{target.version}:predict"
        )
        self._session = requests.Session()
        retry = Retry(
            4, backoff_factor=0.2, status_forcelist=(503,), allowed_methods=None
        )
        for scheme in ("http", "https"):
            self._session.mount(f"{scheme}://", HTTPAdapter(max_retries=retry))
        if target.token:
            self._session.headers["Authorization"] = f"Bearer {target.token}"

    def predict(
        self, signature: str, inputs: Mapping[str, Any], outputs: Sequence[str] = ()
    ) -> Tensors:
        """Give the outputs of a signature by name, as numbers of JSON.

        Args:
            signature: Name of the signature.
            inputs: By name; files as `bytes`, which are sent in base64.
            outputs: Names of those that are given; the server sends all.

        Raises:
            ServingError: When there is no answer.
        """
        values = {name: _jsonable(value) for name, value in inputs.items()}
        body = {"signature_name": signature, "inputs": values}
        try:
            reply = self._session.post(
                self._url, json=body, timeout=self._target.timeout_s
            )
            document = dict(reply.json())
        except (SSLError, requests.Timeout) as error:
            raise no_answer(self._target, str(error)) from error
        except requests.ConnectionError as error:
            raise no_connection(self._target) from error
        except (requests.RequestException, ValueError) as error:
            raise no_answer(self._target, str(error)) from error
        if not reply.ok:
            raise no_answer(
                self._target,
                f"{reply.status_code}: {document.get('error', reply.reason)}",
            )
        found = document["outputs"]
        if not isinstance(found, dict):  # one output comes without its name
            return {"": _array(found)}
        return {n: _array(v) for n, v in found.items() if n in outputs or not outputs}


def _jsonable(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode()}
    if isinstance(value, list):
        return [_jsonable(item) for item in value]
    return np.asarray(value).tolist()


def _array(value: Any) -> NDArray[Any]:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return np.array([base64.b64decode(v["b64"]) for v in value], dtype=object)
    return np.asarray(value)
