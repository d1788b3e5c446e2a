"""Operations that XLA cannot compile, or that a GPU adds up in any order.

The step's own graph is looked through, so that a new layer needs no entry here.
"""

from collections.abc import Iterator
from typing import Any

from defectkeras.core.errors import TrainingError

NO_XLA_KERNEL = frozenset(
    {
        "MaxPoolWithArgmax",
        "MaxPoolGradWithArgmax",
        "ResizeBicubic",
        "ResizeBicubicGrad",
        "ResizeNearestNeighborGrad",
    }
)
"""Found with TensorFlow 2.21 on a CPU."""

NO_DETERMINISTIC_XLA_KERNEL = frozenset({"MaxPoolGrad", "MaxPoolGradV2"})
"""On a GPU; named by TensorFlow 2.21's own error message."""

NO_DETERMINISTIC_GPU_KERNEL = frozenset(
    {
        "AdjustContrastv2",
        "Bincount",
        "CropAndResizeGradBoxes",
        "CropAndResizeGradImage",
        "DenseBincount",
        "Dilation2DBackpropFilter",
        "Dilation2DBackpropInput",
        "FakeQuantWithMinMaxVarsGradient",
        "FakeQuantWithMinMaxVarsPerChannelGradient",
        "MaxPoolGradWithArgmax",
        "ResizeNearestNeighborGrad",
        "SparseTensorDenseMatMul",
    }
)
"""Named by TensorFlow 2.21's own error messages."""

_NORM_GRADIENTS = ("FusedBatchNormGrad", "FusedBatchNormGradV2", "FusedBatchNormGradV3")


def operations(graph: Any) -> Iterator[Any]:
    """Give the node of each operation of a graph, and of the functions in it."""
    definition = graph.as_graph_def()
    yield from definition.node
    for function in definition.library.function:
        yield from function.node_def


def without_xla_kernel(graph: Any, *, deterministic: bool = False) -> tuple[str, ...]:
    """Name the operations of a graph that XLA cannot compile.

    Args:
        graph: Of the step.
        deterministic: Whether a GPU is to give the same bits each time.
    """
    missing = NO_XLA_KERNEL
    if deterministic:
        missing |= NO_DETERMINISTIC_XLA_KERNEL
    return tuple(sorted({n.op for n in operations(graph)} & missing))


def without_deterministic_kernel(graph: Any) -> tuple[str, ...]:
    """Name the operations of a graph that have no deterministic GPU kernel."""
    found = set()
    for node in operations(graph):
        if node.op in NO_DETERMINISTIC_GPU_KERNEL:
            found.add(node.op)
        if node.op in _NORM_GRADIENTS and not node.attr["is_training"].b:
            found.add(f"{node.op} of a frozen layer")
    return tuple(sorted(found))


def require_deterministic_kernels(graph: Any, *, on_gpu: bool) -> None:
    """Refuse, before the first step, what a GPU would refuse in the middle.

    Raises:
        TrainingError: When an operation has no deterministic kernel there.
    """
    names = without_deterministic_kernel(graph)
    if on_gpu and names:
        raise TrainingError(
            "`deterministic` needs a deterministic GPU kernel for every operation. "
            f"There is none for {', '.join(names)}. Take another architecture, train "
            "on a CPU, or leave `deterministic` out."
        )
