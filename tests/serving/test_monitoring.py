import pytest
import requests

from defectkeras.serving.monitoring import METRICS_PATH, Metrics
from defectkeras.serving.status import Code, StatusError


def test_requests_are_counted_by_status():
    metrics = Metrics()
    for _ in range(3):
        with metrics.watch("tiny", "REST"):
            pass
    with pytest.raises(StatusError), metrics.watch("tiny", "GRPC"):
        raise StatusError(Code.NOT_FOUND, "no")
    page = metrics.page().decode()
    count = ':tensorflow:serving:request_count{model_name="tiny",status='
    assert f'{count}"OK"}} 3.0' in page
    assert f'{count}"NOT_FOUND"}} 1.0' in page
    latency = ':tensorflow:serving:request_latency_count{API="Predict",entrypoint='
    assert f'{latency}"REST",model_name="tiny"}} 3.0' in page
    assert "defectkeras_requests_running 0.0" in page


def test_the_page_is_at_tensorflow_servings_path(server):
    assert METRICS_PATH == "/monitoring/prometheus/metrics"
    reply = requests.get(server.rest_url + METRICS_PATH, timeout=60)
    assert reply.headers["content-type"].startswith("text/plain")
    assert "# TYPE :tensorflow:serving:request_latency histogram" in reply.text
