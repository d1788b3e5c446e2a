"""The three files that Keras 2 writes: .h5, .keras and a SavedModel."""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import trackable_object_graph_pb2
from tensorflow.python.keras.protobuf import saved_metadata_pb2

from defectkeras.core.errors import ModelError
from defectkeras.registry.legacy.network import build_network
from defectkeras.registry.legacy.weights import Arrays, set_weights


def read_keras2_model(path: Path, *, scale: float) -> keras.Model:
    """Read a model that Keras 2 saved, without running anything in the file.

    Args:
        path: An .h5 or .keras file, or the folder of a SavedModel.
        scale: What the input in [0, 1] is multiplied by first, such as 255.

    Returns:
        (B, H, W, C) to logits (B, H, W, K) float32.

    Raises:
        ModelError: When the file is damaged, was not written by Keras 2, or has a
            layer that is not known.
    """
    read = _read_saved_model if path.is_dir() else _FILES[path.suffix.lower()]
    try:
        return read(path, scale)
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise ModelError(
            f"{path} must be a model saved by Keras 2, but: {type(error).__name__}: "
            f"{error}"
        ) from error


def _parse(text: str | bytes) -> dict[str, Any]:
    """Read JSON in which Keras marks tuples."""

    def read_tuple(table: dict[str, Any]) -> Any:
        return table["items"] if table.get("class_name") == "__tuple__" else table

    parsed: dict[str, Any] = json.loads(text, object_hook=read_tuple)
    return parsed


def _read_h5(path: Path, scale: float) -> keras.Model:
    with h5py.File(path, "r") as file:
        model = build_network(_parse(file.attrs["model_config"]), scale=scale)
        groups = file["model_weights"]
        set_weights(
            model, {n: _named_arrays(groups[n]) for n in _texts(groups, "layer")}
        )
    return model


def _named_arrays(group: h5py.Group) -> Arrays:
    """Read the weights of a layer; of two with one name the first is the layer's."""
    arrays: dict[str, Any] = {}
    for path in _texts(group, "weight"):
        name = path.split("/")[-1].split(":")[0]
        arrays.setdefault(name, _read_dataset(group[path]))
    return arrays


def _texts(group: h5py.Group, what: str) -> list[str]:
    names = group.attrs[f"{what}_names"]
    return [n.decode() if isinstance(n, bytes) else str(n) for n in names]


def _read_dataset(dataset: h5py.Dataset) -> Any:
    """Read a dataset that lies in the file itself, of a size that its bytes have."""
    if dataset.external or dataset.is_virtual:
        raise ModelError(f"{dataset.name} must lie in the file itself.")
    if dataset.nbytes > 64 * max(dataset.id.get_storage_size(), 1):
        raise ModelError(f"{dataset.name} must not be larger than what is stored.")
    return np.asarray(dataset)


def _read_keras(path: Path, scale: float) -> keras.Model:
    with zipfile.ZipFile(path) as archive:
        metadata = json.loads(archive.read("metadata.json"))
        if not str(metadata["keras_version"]).startswith("2."):
            raise ModelError(
                f"{path} must be of Keras 2. Received: {metadata['keras_version']}."
            )
        description = _parse(archive.read("config.json"))
        content = io.BytesIO(archive.read("model.weights.h5"))
    model = build_network(description, scale=scale)
    with h5py.File(content, "r") as file:
        groups = file["layers"]
        names = _numbered(
            _snake(x["class_name"]) for x in description["config"]["layers"]
        )
        weights = {
            layer["name"]: _numbered_arrays(groups[name])
            for layer, name in zip(description["config"]["layers"], names, strict=True)
            if name in groups
        }
    set_weights(model, weights)
    return model


def _snake(class_name: str) -> str:
    """Give the name of a layer's group, such as "batch_normalization"."""
    name = re.sub(r"\W+", "", class_name)
    name = re.sub("(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def _numbered(names: Iterable[str]) -> list[str]:
    """Number names that come again: a, a_1, a_2."""
    seen: dict[str, int] = {}
    numbered = []
    for name in names:
        count = seen.get(name, 0)
        numbered.append(f"{name}_{count}" if count else name)
        seen[name] = count + 1
    return numbered


def _numbered_arrays(group: h5py.Group) -> Arrays:
    """Read "0", "1", ... of a layer, and "layer/0", ... of the one it wraps."""
    arrays = {}
    for prefix in ("", "layer/"):
        for number, dataset in group.get(f"{prefix}vars", {}).items():
            arrays[f"{prefix}{number}"] = _read_dataset(dataset)
    return arrays


def _read_saved_model(path: Path, scale: float) -> keras.Model:
    """Read description and checkpoint; the program of the SavedModel is not loaded."""
    metadata = saved_metadata_pb2.SavedMetadata()
    metadata.ParseFromString((path / "keras_metadata.pb").read_bytes())
    root = _parse(next(n.metadata for n in metadata.nodes if n.node_path == "root"))
    model = build_network(root, scale=scale)
    order = [layer["config"]["name"] for layer in root["config"]["layers"]]
    with_weights = [x for x in model.layers if x.weights]
    with_weights.sort(key=lambda layer: order.index(layer.name))
    arrays = _checkpoint_arrays(path / "variables" / "variables")
    set_weights(model, {x.name: arrays.get(i, {}) for i, x in enumerate(with_weights)})
    return model


def _checkpoint_arrays(prefix: Path) -> dict[int, Arrays]:
    """Read the weights of the layers that have some, by their number."""
    checkpoint = tf.train.load_checkpoint(str(prefix))
    graph = trackable_object_graph_pb2.TrackableObjectGraph()
    graph.ParseFromString(checkpoint.get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH"))

    def children(node: Any) -> dict[str, Any]:
        return {c.local_name: graph.nodes[c.node_id] for c in node.children}

    def arrays_of(node: Any) -> dict[str, Any]:
        return {
            name: checkpoint.get_tensor(child.attributes[0].checkpoint_key)
            for name, child in children(node).items()
            if child.attributes
        }

    weights: dict[int, Arrays] = {}
    for name, node in children(graph.nodes[0]).items():
        match = re.fullmatch(r"layer_with_weights-(\d+)", name)
        if match:
            wrapped = children(node).get("layer")
            inner = {} if wrapped is None else arrays_of(wrapped)
            weights[int(match[1])] = {**inner, **arrays_of(node)}
    return weights


_FILES: dict[str, Callable[[Path, float], keras.Model]] = {
    ".h5": _read_h5,
    ".hdf5": _read_h5,
    ".keras": _read_keras,
}
