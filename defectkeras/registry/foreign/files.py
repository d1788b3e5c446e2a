"""The files that Keras writes: .h5, .keras and, until Keras 2, a SavedModel."""

import io
import itertools
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import trackable_object_graph_pb2
from tensorflow.python.keras.protobuf import saved_metadata_pb2

from defectkeras.core.errors import ModelError
from defectkeras.registry.foreign.adaptation import Adaptation
from defectkeras.registry.foreign.description import (
    Graph,
    inside_of,
    path_of,
    read_graph,
)
from defectkeras.registry.foreign.network import build_network
from defectkeras.registry.foreign.weights import Arrays, set_weights

_MOST_PACKED = 64  # times smaller; weights are numbers, and hardly compress


def read_keras_model(path: Path, adaptation: Adaptation | None = None) -> keras.Model:
    """Read a model that Keras 2 or 3 saved, without running anything in the file.

    Args:
        path: An .h5 or .keras file, or the folder of a SavedModel of Keras 2.
        adaptation: What becomes of grey levels first.

    Returns:
        (B, H, W, 1) to logits (B, H, W, K) float32.

    Raises:
        ModelError: When the file is damaged, was not written by Keras, or has a layer
            that is not known.
    """
    read = _read_saved_model if path.is_dir() else _FILES[path.suffix.lower()]
    try:
        return read(path, adaptation)
    except ModelError:
        raise
    except Exception as error:  # whatever a damaged or strange file leads to
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ModelError(
            f"{path} must be a model saved by Keras, but: {reason}"
        ) from error


def _parse(text: str | bytes) -> dict[str, Any]:
    """Read JSON in which Keras marks tuples."""

    def read_tuple(table: dict[str, Any]) -> Any:
        return table["items"] if table.get("class_name") == "__tuple__" else table

    parsed: dict[str, Any] = json.loads(text, object_hook=read_tuple)
    return parsed


def _is_keras_3(version: str) -> bool:
    return version.startswith("3.")


def _read_h5(path: Path, adaptation: Adaptation | None) -> keras.Model:
    with h5py.File(path, "r") as file:
        _require_own(file)
        if "model_config" not in file.attrs:
            raise ModelError(
                f"{path} must hold a whole model, and has weights alone or something "
                "else. Save it with model.save()."
            )
        version = str(file.attrs.get("keras_version", ""))
        graph = read_graph(
            _parse(file.attrs["model_config"]), of_keras_3=_is_keras_3(version)
        )
        model = build_network(graph, adaptation)
        groups = file["model_weights"]
        weights = {}
        for layer in graph.layers:
            if layer.name not in groups:
                continue
            arrays = _named_arrays(groups[layer.name])
            if layer.graph is None:
                weights[path_of("", layer.name)] = _last_names(arrays)
            else:
                inside = inside_of("", layer.name)
                weights |= _of_layers_inside(arrays, layer.graph, inside)
        set_weights(model, weights)
    return model


def _named_arrays(group: h5py.Group) -> Arrays:
    """Read the weights of a group, such as "conv/kernel"."""
    paths = _texts(group, "weight")
    return {path.removesuffix(":0"): _read_dataset(group[path]) for path in paths}


def _last_names(arrays: Arrays) -> Arrays:
    """Name weights without their layer; of two with one name the first is its own."""
    named: dict[str, Any] = {}
    for path, array in arrays.items():
        named.setdefault(path.split("/")[-1], array)
    return named


def _of_layers_inside(arrays: Arrays, graph: Graph, prefix: str) -> dict[str, Arrays]:
    """Share out the weights of a model within the model to its layers."""
    paths = dict(_paths_inside(graph, prefix))
    shared: dict[str, dict[str, Any]] = {}
    for path, array in arrays.items():
        *scopes, _ = path.split("/")
        owner = next((scope for scope in scopes if scope in paths), None)
        if owner is not None:
            shared.setdefault(paths[owner], {})[path] = array
    return {name: _last_names(own) for name, own in shared.items()}


def _paths_inside(graph: Graph, prefix: str) -> Iterator[tuple[str, str]]:
    """Give name and path of all layers, at any depth."""
    for layer in graph.layers:
        if layer.graph is None:
            yield layer.name, path_of(prefix, layer.name)
        else:
            yield from _paths_inside(layer.graph, inside_of(prefix, layer.name))


def _texts(group: h5py.Group, what: str) -> list[str]:
    """Read names; a list that is too long for HDF5 is in parts, names0, names1, ..."""
    key = f"{what}_names"
    numbered = (f"{key}{number}" for number in itertools.count())
    parts = itertools.takewhile(group.attrs.__contains__, numbered)
    keys = [key] if key in group.attrs else list(parts)
    names = [name for part in keys for name in group.attrs[part]]
    return [n.decode() if isinstance(n, bytes) else str(n) for n in names]


def _require_own(file: h5py.File) -> None:
    """Check that no name in a file leads to another file."""

    def find(name: str, link: Any) -> str | None:
        return name if isinstance(link, h5py.ExternalLink) else None

    found = file.visititems_links(find)
    if found is not None:
        raise ModelError(f"{found} must lie in the file itself.")


def _read_dataset(dataset: h5py.Dataset) -> Any:
    """Read a dataset that lies in the file itself, of a size that its bytes have."""
    if dataset.external or dataset.is_virtual:
        raise ModelError(f"{dataset.name} must lie in the file itself.")
    if dataset.nbytes > _MOST_PACKED * max(dataset.id.get_storage_size(), 1):
        raise ModelError(f"{dataset.name} must not be larger than what is stored.")
    return np.asarray(dataset)


def _read_keras(path: Path, adaptation: Adaptation | None) -> keras.Model:
    with zipfile.ZipFile(path) as archive:
        version = str(_parse(_unpack(archive, "metadata.json"))["keras_version"])
        graph = read_graph(
            _parse(_unpack(archive, "config.json")), of_keras_3=_is_keras_3(version)
        )
        content = io.BytesIO(_unpack(archive, "model.weights.h5"))
    model = build_network(graph, adaptation)
    with h5py.File(content, "r") as file:
        _require_own(file)
        set_weights(model, _grouped_arrays(graph, file["layers"], ""))
    return model


def _unpack(archive: zipfile.ZipFile, name: str) -> bytes:
    """Read a file of an archive, of a size that its bytes have."""
    info = archive.getinfo(name)
    if info.file_size > _MOST_PACKED * max(info.compress_size, 1):
        raise ModelError(f"{name} must not be larger than what is stored.")
    return archive.read(info)


def _grouped_arrays(graph: Graph, groups: h5py.Group, prefix: str) -> dict[str, Arrays]:
    """Read the weights of all layers, whose groups are named by their classes."""
    weights: dict[str, Arrays] = {}
    names = _numbered(_snake(layer.plain_class_name) for layer in graph.layers)
    for layer, name in zip(graph.layers, names, strict=True):
        if name not in groups:
            continue
        if layer.graph is None:
            weights[path_of(prefix, layer.name)] = _numbered_arrays(groups[name])
        elif "layers" in groups[name]:
            inside = inside_of(prefix, layer.name)
            weights |= _grouped_arrays(layer.graph, groups[name]["layers"], inside)
    return weights


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


def _read_saved_model(path: Path, adaptation: Adaptation | None) -> keras.Model:
    """Read description and checkpoint; the program of the SavedModel is not loaded."""
    metadata = saved_metadata_pb2.SavedMetadata()
    metadata.ParseFromString((path / "keras_metadata.pb").read_bytes())
    root = _parse(next(n.metadata for n in metadata.nodes if n.node_path == "root"))
    graph = read_graph(root)
    model = build_network(graph, adaptation)
    checkpoint = _Checkpoint(path / "variables" / "variables")
    set_weights(model, checkpoint.arrays(graph, checkpoint.root, ""))
    return model


class _Checkpoint:
    """The weights of a SavedModel, found along its objects."""

    def __init__(self, prefix: Path) -> None:
        self._file = tf.train.load_checkpoint(str(prefix))
        self._graph = trackable_object_graph_pb2.TrackableObjectGraph()
        self._graph.ParseFromString(
            self._file.get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH")
        )

    @property
    def root(self) -> Any:
        """The object of the model."""
        return self._graph.nodes[0]

    def arrays(self, graph: Graph, node: Any, prefix: str) -> dict[str, Arrays]:
        """Read the weights of all layers of a model, which are numbered in its object.

        A sequential model does not count its input.
        """
        weights: dict[str, Arrays] = {}
        children = self._children(node)
        counted = graph.layers[1:] if graph.is_sequential else graph.layers
        for number, layer in enumerate(counted):
            child = children[f"layer-{number}"]
            if layer.graph is None:
                weights[path_of(prefix, layer.name)] = self._arrays_of(child)
            else:
                inside = inside_of(prefix, layer.name)
                weights |= self.arrays(layer.graph, child, inside)
        return weights

    def _children(self, node: Any) -> dict[str, Any]:
        nodes = self._graph.nodes
        return {c.local_name: nodes[c.node_id] for c in node.children}

    def _arrays_of(self, node: Any) -> Arrays:
        """Read the weights of a layer, and of the one it wraps."""
        children = self._children(node)
        wrapped = children.get("layer")
        inner = {} if wrapped is None else self._arrays_of(wrapped)
        own = {
            name: self._file.get_tensor(child.attributes[0].checkpoint_key)
            for name, child in children.items()
            if child.attributes
        }
        return {**inner, **own}


_FILES: dict[str, Callable[[Path, Adaptation | None], keras.Model]] = {
    ".h5": _read_h5,
    ".hdf5": _read_h5,
    ".keras": _read_keras,
}
