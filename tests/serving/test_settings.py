import pytest

from defectkeras.core.errors import ServingError
from defectkeras.serving.settings import ServerSettings, is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_needs_nothing(host):
    assert is_loopback(host)
    assert ServerSettings(host=host).host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "lab.example"])
def test_open_address_needs_token_or_tls(host, tmp_path):
    with pytest.raises(ServingError, match="must have a token or TLS"):
        ServerSettings(host=host)
    ServerSettings(host=host, token="s3cret")
    file = tmp_path / "x.pem"
    ServerSettings(host=host, tls_certificate=file, tls_key=file)


def test_half_of_tls_and_empty_token_are_refused(tmp_path):
    with pytest.raises(ServingError, match="a certificate and its key"):
        ServerSettings(tls_certificate=tmp_path / "x.pem")
    with pytest.raises(ServingError, match="must not be empty"):
        ServerSettings(host="0.0.0.0", token="")


def test_token_is_not_shown():
    assert "s3cret" not in repr(ServerSettings(token="s3cret"))
