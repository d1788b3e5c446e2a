"""What the graph of a SavedModel may do, read from its file without running it.

A SavedModel is a program. Its operations are compared with a list of those that only
compute; everything else (files, processes, Python, networks, printing) is named. The
operations that save and restore weights are in every SavedModel, and are taken only
in its saver, never in a signature or in what runs at loading.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from defectkeras.core.errors import RegistryError

_COMPUTING = """
Abs Add AddN AddV2 All Any ArgMax ArgMin AvgPool BatchMatMulV2 BatchMatMulV3
BatchToSpaceND BiasAdd Bitcast BroadcastArgs BroadcastGradientArgs BroadcastTo
Bucketize Case Cast Ceil ClipByValue Complex ComplexAbs Concat ConcatOffset ConcatV2
Conj Const Conv2D Conv2DBackpropInput Cos Cosh Cumsum DecodeImage DecodeJpeg
DecodePng DepthToSpace DepthwiseConv2dNative Dequantize Div DivNoNan Einsum Elu
Empty EncodeJpeg EncodePng EnsureShape Equal Erf Exp ExpandDims Expm1 FFT FFT2D Fill
Floor FloorDiv FloorMod FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 Gather
GatherNd GatherV2 Greater GreaterEqual IFFT IFFT2D IRFFT IRFFT2D Identity IdentityN
If Imag InvertPermutation IsFinite IsInf IsNan LRN LeakyRelu Less LessEqual Log
Log1p LogSoftmax LogicalAnd LogicalNot LogicalOr MatMul Max MaxPool MaxPoolV2
MaxPoolWithArgmax Maximum Mean Merge Min Minimum MirrorPad Mod Mul MulNoNan Neg NoOp
NotEqual OneHot OnesLike Pack Pad PadV2 PartitionedCall Placeholder
PlaceholderWithDefault Pow PreventGradient Prod RFFT RFFT2D Range Rank
ReadVariableOp Real RealDiv Reciprocal Relu Relu6 Reshape ResizeArea ResizeBicubic
ResizeBilinear ResizeNearestNeighbor ReverseV2 Rint Roll Round Rsqrt ScatterNd
Select SelectV2 Selu Shape ShapeN Sigmoid Sign Sin Sinh Size Slice Snapshot Softmax
Softplus Softsign SpaceToBatchND SpaceToDepth Split SplitV Sqrt Square
SquaredDifference Squeeze StatefulPartitionedCall StatelessCase StatelessIf
StatelessRandomGetKeyCounter StatelessRandomNormalV2 StatelessRandomUniformV2
StatelessRandomUniformFullIntV2 StatelessRandomUniformIntV2 StatelessWhile
StopGradient StridedSlice Sub Sum Switch Tan Tanh TensorListFromTensor
TensorListGetItem TensorListReserve TensorListSetItem TensorListStack
TensorScatterAdd TensorScatterUpdate Tile TopKV2 Transpose TruncateDiv Unpack
UnravelIndex UnsortedSegmentMax UnsortedSegmentSum VarHandleOp VarIsInitializedOp
Where While Xdivy Xlogy ZerosLike
"""

_SAVING = """
AssignVariableOp DisableCopyOnRead MergeV2Checkpoints RestoreV2 SaveV2
ShardedFilename StaticRegexFullMatch StringJoin
"""

COMPUTING = frozenset(_COMPUTING.split())
"""Operations that compute from their inputs and the model's own weights."""

SAVING = frozenset(_SAVING.split())
"""Operations that every SavedModel has for its weights, in its saver only."""


def find_unusual_operations(folder: Path) -> tuple[str, ...]:
    """Name the operations of a SavedModel that do more than compute.

    Args:
        folder: With "saved_model.pb".

    Returns:
        One text each, such as "operation ReadFile in __inference_serve_12"; empty
        for an ordinary model.

    Raises:
        RegistryError: When the file cannot be read.
    """
    found: set[str] = set()
    for meta_graph in _read_saved_model(folder).meta_graphs:
        graph = meta_graph.graph_def
        functions = {f.signature.name: f for f in graph.library.function}
        saver = _saver_functions(meta_graph, functions)
        for name, function in functions.items():
            known = COMPUTING | SAVING if name in saver else COMPUTING
            found |= _foreign(function.node_def, known, where=name)
        found |= _foreign(graph.node, COMPUTING, where="the graph")
    return tuple(sorted(found))


def _read_saved_model(folder: Path) -> Any:
    """Parse "saved_model.pb"; nothing of it is run."""
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import saved_model_pb2

    path = folder / "saved_model.pb"
    saved_model = saved_model_pb2.SavedModel()
    try:
        saved_model.ParseFromString(path.read_bytes())
    except (OSError, DecodeError) as error:
        raise RegistryError(f"{path} cannot be read: {error}.") from error
    return saved_model


def _foreign(nodes: Iterable[Any], known: frozenset[str], *, where: str) -> set[str]:
    return {f"operation {n.op} in {where}" for n in nodes if n.op not in known}


def _saver_functions(meta_graph: Any, functions: dict[str, Any]) -> set[str]:
    """Give the functions that only the saver calls."""
    nodes = {n.name: n for n in meta_graph.graph_def.node}
    saver = meta_graph.saver_def
    of_saver = {
        name.partition(":")[0]
        for name in (saver.save_tensor_name, saver.restore_op_name)
    }
    from_saver = _called((nodes[name] for name in of_saver if name in nodes), functions)
    from_elsewhere = _called(
        (node for name, node in nodes.items() if name not in of_saver), functions
    )
    return from_saver - from_elsewhere - _run_at_loading(meta_graph, functions)


def _run_at_loading(meta_graph: Any, functions: dict[str, Any]) -> set[str]:
    """Give the functions of objects, such as tables, that loading may call.

    The object graph names the saver's own functions as "saveable"; those of any
    other object are taken for its methods.
    """
    concrete = {
        name
        for node in meta_graph.object_graph_def.nodes
        for name in node.function.concrete_functions
    }
    bare = {
        node.bare_concrete_function.concrete_function_name
        for node in meta_graph.object_graph_def.nodes
    }
    named = {name for name in concrete | bare if name in functions}
    return named | {
        inner
        for name in named
        for inner in _called(functions[name].node_def, functions)
    }


def _called(nodes: Iterable[Any], functions: dict[str, Any]) -> set[str]:
    """Give the functions that nodes call, and those that these call."""
    called: set[str] = set()
    waiting = list(_names_in(nodes))
    while waiting:
        name = waiting.pop()
        if name in functions and name not in called:
            called.add(name)
            waiting += _names_in(functions[name].node_def)
    return called


def _names_in(nodes: Iterable[Any]) -> Iterator[str]:
    for node in nodes:
        for value in node.attr.values():
            if value.HasField("func"):
                yield value.func.name
            for entry in value.list.func:
                yield entry.name
