import json

import pytest
from tensorflow.python.distribute.cluster_resolver.slurm_cluster_resolver import (
    expand_hostlist,
    expand_tasks_per_node,
)

from defectkeras.core.errors import TrainingError
from defectkeras.training.cluster import (
    cluster_config,
    expand_counts,
    expand_hosts,
)

WORKERS = ["10.0.0.1:5000", "10.0.0.2:5000"]


def tf_config(index=1, workers=WORKERS):
    return {
        "cluster": {"worker": list(workers)},
        "task": {"type": "worker", "index": index},
    }


def slurm(nodes="n[1-2]", tasks="1(x2)", rank="0"):
    return {
        "SLURM_STEP_NODELIST": nodes,
        "SLURM_STEP_TASKS_PER_NODE": tasks,
        "SLURM_PROCID": rank,
    }


def test_one_process_is_no_cluster():
    assert cluster_config({}) is None
    alone = tf_config(0, WORKERS[:1])
    assert cluster_config({"TF_CONFIG": json.dumps(alone)}) is None
    assert cluster_config(slurm("n1", "1")) is None
    # the batch step of SLURM is one process, whatever the job has
    assert cluster_config({"SLURM_NTASKS": "4", "SLURM_PROCID": "0"}) is None


def test_tf_config_is_taken_and_wins():
    text = json.dumps(tf_config())
    assert cluster_config({"TF_CONFIG": text, **slurm()}) == tf_config()


def test_slurm_tasks_get_a_port_each():
    config = cluster_config(slurm("gpu[09-10],big", "2(x2),1", "3"))
    assert config == {
        "cluster": {
            "worker": [
                "gpu09:12300",
                "gpu09:12301",
                "gpu10:12300",
                "gpu10:12301",
                "big:12300",
            ]
        },
        "task": {"type": "worker", "index": 3},
    }


@pytest.mark.parametrize(
    "text", ["a", "a,b", "n[1-3]", "n[08-11,20],m[1,3],login", "rack1-n[001-002]"]
)
def test_hosts_are_those_of_tensorflow(text):
    assert expand_hosts(text) == expand_hostlist(text)


@pytest.mark.parametrize("text", ["1", "2(x3),1", "3,4(x2)"])
def test_counts_are_those_of_tensorflow(text):
    assert expand_counts(text) == expand_tasks_per_node(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        json.dumps({"cluster": {"worker": WORKERS}}),
        json.dumps(tf_config(2)),
        json.dumps(tf_config() | {"task": {"type": "chief", "index": 0}}),
    ],
)
def test_wrong_tf_config_is_told(text):
    with pytest.raises(TrainingError, match="TF_CONFIG must be JSON"):
        cluster_config({"TF_CONFIG": text})


@pytest.mark.parametrize(
    "wrong", [{"rank": "2"}, {"rank": "x"}, {"tasks": "1"}, {"nodes": "n[1-3]"}]
)
def test_contradictions_of_slurm_are_told(wrong):
    with pytest.raises(TrainingError, match="SLURM's variables"):
        cluster_config(slurm(**wrong))
