"""The files, as far as they can be told without the server."""

import json
import os
import subprocess
from urllib.parse import urlsplit

import pytest
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
    wrappers_pb2,
)
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from defectkeras.core.errors import RegistryError
from defectkeras.serving.deployment import plan_deployment, write_deployment

yaml = pytest.importorskip("yaml")


@pytest.fixture
def deployed(own_registry, tmp_path):
    plan = plan_deployment(own_registry, tmp_path / "out")
    write_deployment(own_registry, plan)
    return plan


def service(plan):
    compose = yaml.safe_load(plan.files["docker-compose.yaml"])
    return compose["services"]["tensorflow-serving"]


def proto(**fields):
    """Give a message class with fields as in TensorFlow Serving's own protos, which
    its package for Python leaves out."""
    file = descriptor_pb2.FileDescriptorProto(
        name="own.proto", package="own", syntax="proto3"
    )
    file.dependency.append("google/protobuf/wrappers.proto")
    outer = file.message_type.add(name="Outer")
    kinds = descriptor_pb2.FieldDescriptorProto
    for number, (name, kind) in enumerate(fields.items(), start=1):
        field = outer.field.add(name=name, number=number, label=kinds.LABEL_OPTIONAL)
        field.type, field.type_name = kinds.TYPE_MESSAGE, kind
    inner = file.message_type.add(name="Prometheus")
    inner.field.add(name="enable", number=1, type=kinds.TYPE_BOOL, label=1)
    inner.field.add(name="path", number=2, type=kinds.TYPE_STRING, label=1)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("own.Outer"))


def test_models_config_follows_the_aliases(own_registry, deployed):
    def read():
        text = deployed.server_config.read_text()
        (config,) = text_format.Parse(
            text, ModelServerConfig()
        ).model_config_list.config
        return config

    assert deployed.server_config.read_text() == deployed.server_config_text
    assert read().base_path == "/models/tiny"
    own_registry.set_alias("tiny", "production", 3)
    assert dict(read().version_labels) == {"production": 3}
    assert {1, 3} <= set(read().model_version_policy.specific.versions)  # in two steps
    own_registry.rollback("tiny", "production")
    assert dict(read().version_labels) == {"production": 1}


def test_the_container_reads_only_and_is_local(own_registry, deployed):
    told = service(deployed)
    assert {port.split(":")[0] for port in told["ports"]} == {"127.0.0.1"}
    assert told["volumes"] == [
        f"{own_registry.root.absolute()}:/models:ro",
        "./:/deployment:ro",
    ]
    assert "--model_config_file=/models/models.config" in told["command"]
    for flag in told["command"]:
        path = flag.partition("=")[2]
        if path.startswith("/deployment/"):
            assert path.removeprefix("/deployment/") in deployed.files
    assert not any("batching" in flag for flag in told["command"])


def test_batching_is_asked_for(own_registry, tmp_path):
    plan = plan_deployment(own_registry, tmp_path / "out", batching=True)
    assert "--enable_batching=true" in service(plan)["command"]


def test_batching_and_monitoring_are_texts_of_their_protos(deployed):
    value = ".google.protobuf.Int64Value"
    batching = proto(
        max_batch_size=value,
        batch_timeout_micros=value,
        max_enqueued_batches=value,
        num_batch_threads=value,
    )
    found = text_format.Parse(deployed.files["batching.config"], batching())
    assert found.num_batch_threads.value == os.cpu_count()
    monitoring = proto(prometheus_config=".own.Prometheus")
    found = text_format.Parse(deployed.files["monitoring.config"], monitoring())
    assert found.prometheus_config.enable


def test_odd_paths_are_written_safely(own_registry, tmp_path):
    own_registry.root = tmp_path / 'a "b" $HOME: #c'
    (mount, _) = service(plan_deployment(own_registry, tmp_path / "out"))["volumes"]
    assert mount.replace("$$", "$") == f"{own_registry.root}:/models:ro"


def test_the_health_check_tells_a_server_from_none(served_root, deployed, server):
    url = urlsplit(server.rest_url)

    def healthy(port, config=deployed.server_config):
        script = deployed.folder / "healthy.sh"
        command = ["bash", str(script), str(config), url.hostname, str(port)]
        return subprocess.run(command, check=False, capture_output=True).returncode

    assert healthy(url.port) == 0
    assert healthy(1) != 0
    other = deployed.folder / "other.config"
    other.write_text('    name: "other"\n')
    assert healthy(url.port, other) != 0


def test_an_older_deployment_stays(own_registry, deployed):
    with pytest.raises(FileExistsError):
        write_deployment(own_registry, deployed)
    write_deployment(own_registry, deployed, replace=True)


def test_a_registry_that_cannot_be_written_is_told(own_registry, tmp_path):
    plan = plan_deployment(own_registry, tmp_path / "out")
    (own_registry.root / ".lock").mkdir()  # as on a read-only file system
    with pytest.raises(RegistryError, match="must be writable"):
        write_deployment(own_registry, plan)
    assert not plan.folder.exists()


def test_the_readme_has_the_commands(own_registry, deployed):
    text = deployed.files["README.md"]
    for words in (
        "docker compose up --detach --wait",
        "curl http://127.0.0.1:8501/v1/models/tiny",
        "tensorflow_model_server --port=8500",
        json.dumps(str(own_registry.root))[1:-1],
    ):
        assert words in text
