"""Who is let in."""

import importlib.util
import threading
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import pytest

import ssnib_model as ss
from ssnib_model.app import server as app
from ssnib_model.app.design import Design
from ssnib_model.cli import main


@pytest.fixture(scope="module")
def address():
    """Of a server in a thread of its own."""
    import asyncio

    pytest.importorskip("bokeh")
    ready, found = threading.Event(), {}

    def serve():
        asyncio.set_event_loop(asyncio.new_event_loop())
        found["server"], found["address"] = app.serve(Design())
        ready.set()
        found["server"].io_loop.start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert ready.wait(60)
    yield found["address"]
    loop = found["server"].io_loop
    loop.add_callback(loop.stop)
    thread.join(10)


def status(address, **headers):
    request = urllib.request.Request(address, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_the_address_is_of_this_machine_and_secret(address):
    parts = urlsplit(address)
    assert parts.hostname == "127.0.0.1"
    assert len(parts.path.split("/")[1]) >= 32


@pytest.mark.parametrize("path", ["/", "/explore", "/guessed/explore", "/static/js/bokeh.min.js"])
def test_without_the_token_there_is_nothing(address, path):
    parts = urlsplit(address)
    assert status(f"http://{parts.netloc}{path}") == 404


def test_other_hosts_and_origins_are_refused(address):
    parts = urlsplit(address)
    assert status(address, Host="evil.example") == 403
    assert status(address, Host=f"localhost:{parts.port}") == 403
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1"):
        assert status(address, Origin=origin) == 403
        assert status(f"{address}/ws", Origin=origin) == 403
    assert status(f"{address}/metadata", Origin=f"http://{parts.netloc}") == 200


def test_a_port_that_is_taken_or_none(address):
    with pytest.raises(ss.OptionError, match="cannot be had"):
        app.serve(Design(), urlsplit(address).port)
    with pytest.raises(ss.OptionError, match="from 0 to 65535"):
        app.serve(Design(), 70_000)


def test_without_the_extra_there_is_a_sentence(monkeypatch, capsys):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda n, *a: None if n == "bokeh" else real(n, *a)
    )
    assert main(["explore"]) == 2
    assert 'pip install "ssnib_model[app]"' in capsys.readouterr().err
