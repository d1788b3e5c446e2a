"""The page, over HTTP and in a browser."""

import io
import shutil
import zipfile

import pytest
import requests

from defectkeras.micrographs.write import write_micrograph
from defectkeras.registry.store import ModelRegistry
from defectkeras.serving.server import running_server
from defectkeras.serving.settings import ServerSettings
from defectkeras.synthesis.synthesize import synthesize
from defectkeras.workflows.serve_page import added_page


@pytest.fixture(scope="module")
def url(tiny_registry, tmp_path_factory):
    root = shutil.copytree(tiny_registry, tmp_path_factory.mktemp("served") / "models")
    registry = ModelRegistry(root)
    registry.set_alias("tiny", "production", 1)
    settings = ServerSettings(port=0, grpc_port=0)
    with running_server(registry, settings, pages=added_page) as address:
        yield address.rest_url


@pytest.fixture(scope="module")
def micrograph(tmp_path_factory):
    """The file of a synthetic micrograph with an odd name."""
    drawn = synthesize(shape=(160, 208), seed=4)
    path = tmp_path_factory.mktemp("upload") / "<b>field & 1.tif"
    write_micrograph(drawn.micrograph, path)
    return path


def test_the_page_offers_what_is_served(url):
    reply = requests.get(url, timeout=60)
    assert reply.headers["content-type"].startswith("text/html")
    policy = reply.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'")
    assert '<option value="tiny@1" selected>tiny@1 (production)</option>' in reply.text
    assert requests.get(f"{url}/v1/models/tiny", timeout=60).ok  # beside the API


def test_an_upload_becomes_a_report_and_an_archive(url, micrograph):
    query = {"model": "tiny@1", "file_name": micrograph.name}
    data = micrograph.read_bytes()
    reply = requests.post(f"{url}/analyze", params=query, data=data, timeout=300)
    assert reply.status_code == 200, reply.text
    answer = reply.json()
    report = requests.get(f"{url}/{answer['report']}", timeout=60)
    assert "_b_field _ 1" in report.text
    packed = requests.get(f"{url}/{answer['archive']}", timeout=60).content
    assert "report.html" in zipfile.ZipFile(io.BytesIO(packed)).namelist()
    table = answer["report"].replace("report.html", "quantities.csv")
    kept = requests.get(f"{url}/{table}", timeout=60)
    assert kept.headers["content-disposition"].startswith("attachment")


def test_errors_are_told(url):
    for query, data, status, told in (
        ({"model": "tiny@1", "file_name": "x.png"}, b"no", 400, "x.png"),
        ({"model": "tiny@7", "file_name": "x.png"}, b"no", 404, "Servable not found"),
    ):
        reply = requests.post(f"{url}/analyze", params=query, data=data, timeout=60)
        assert (reply.status_code, told in reply.json()["error"]) == (status, True)
    for key in ("0" * 32, "..%2f..", "x"):
        reply = requests.get(f"{url}/results/{key}/report.html", timeout=60)
        assert reply.status_code == 404


def test_another_sites_page_cannot_send_anything(url):
    headers = {"Sec-Fetch-Site": "cross-site"}
    reply = requests.post(f"{url}/analyze", headers=headers, timeout=60)
    assert reply.status_code == 403


def test_a_name_that_leads_here_from_elsewhere_is_refused(url):
    """As of a page that lets its own name mean this machine (DNS rebinding)."""
    for path in ("", "/v1/models/tiny", "/monitoring/prometheus/metrics"):
        headers = {"Host": "elsewhere.example:8501"}
        reply = requests.get(f"{url}{path}", headers=headers, timeout=60)
        assert reply.status_code == 403
        assert "--token-file" in reply.json()["error"]
    reply = requests.get(url, headers={"Host": "localhost:8501"}, timeout=60)
    assert reply.status_code == 200


@pytest.fixture
def browser(start_browser, url):
    browser = start_browser()
    browser.open(url)
    return browser


def choose(browser, path):
    """Choose a file as a user does."""
    found = browser.ask(
        "Runtime.evaluate", expression="document.getElementById('file')"
    )
    place = found["result"]["objectId"]
    browser.ask("DOM.setFileInputFiles", files=[str(path)], objectId=place)


@pytest.mark.slow
def test_a_browser_shows_the_report(browser, url, micrograph, tmp_path):
    assert browser.run("document.getElementById('start').disabled")
    choose(browser, micrograph)
    assert micrograph.name in browser.run(
        "document.getElementById('chosen').textContent"
    )
    browser.run("document.getElementById('start').click()")
    status = "document.getElementById('status').textContent"
    browser.wait(f"{status}.endsWith('analyzed with tiny@1.')", timeout_s=300)
    assert browser.run("!document.getElementById('result').hidden")
    report = browser.run("document.getElementById('report').src")
    assert report.startswith(f"{url}/results/")
    assert browser.run("document.getElementById('archive').href").endswith(".zip")

    for kind in ("Page.javascriptDialogOpening", "Runtime.exceptionThrown"):
        assert browser.found(kind) == []
    entries = [e["entry"]["text"] for e in browser.found("Log.entryAdded")]
    assert [e for e in entries if "favicon" not in e and "404" not in e] == []
    asked = [e["request"]["url"] for e in browser.found("Network.requestWillBeSent")]
    assert {u[: len(url)] for u in asked if not u.startswith("data:")} == {url}

    browser.open(report)  # the report as it stands in the frame
    assert browser.run("document.querySelectorAll('.opacity').length") == 1

    browser.open(url)
    wrong = tmp_path / "wrong.png"
    wrong.write_bytes(b"no")
    choose(browser, wrong)
    browser.run("document.getElementById('start').click()")
    browser.wait("document.getElementById('status').classList.contains('bad')")
    assert "wrong.png" in browser.run(status)


@pytest.mark.slow
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_fits_its_window(browser, width):
    browser.ask(
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=800,
        deviceScaleFactor=1,
        mobile=width < 500,
    )
    assert browser.run("document.documentElement.scrollWidth") <= width
