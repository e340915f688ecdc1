"""Fixtures to run maintainers' scripts, with loopback servers to fetch from."""

import os
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path

import pytest

from rsspot.simulator.front.server import Server

SCRIPTS = Path(__file__).parents[2] / "scripts"


class Origin(ThreadingHTTPServer):
    """Answers each path with `answers[path] = status, headers, body`. asked: the requests' headers by path."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Answering)
        self.answers, self.asked = {}, {}

    @property
    def url(self):
        """Its URL."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answering(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked[self.path] = dict(self.headers.items())
        status, headers, body = self.server.answers.get(self.path, (404, {}, b""))
        with suppress(BrokenPipeError, ConnectionResetError):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format, *args):
        pass


@pytest.fixture
def listen():
    """Run a server in a thread until the test ends."""
    listening = []

    def start(server):
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        listening.append((server, thread))
        return server

    yield start
    for server, thread in listening:
        server.shutdown()
        server.server_close()
        thread.join(60)


@pytest.fixture
def simulator(spot_api, listen):
    """The simulator over HTTP."""
    return listen(Server(spot_api.api))


@pytest.fixture
def origin(listen):
    """A server with scripted answers."""
    return listen(Origin())


@pytest.fixture
def bearer(spot_api):
    """A token that the simulator accepts."""
    return spot_api.world.identity.id_token(spot_api.world.organizations[0])


@pytest.fixture
def nobody():
    """A URL that refuses connections."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def usual(tmp_path, simulator, bearer):
    """The environment variables of a script that is run against the simulator."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RSSPOT_", "SPOT_"))}
    return {**kept, "HOME": str(tmp_path), "RSSPOT_BASE_URL": simulator.url, "RSSPOT_ID_TOKEN": bearer}


@pytest.fixture
def process(tmp_path, usual):
    """Run a script as a process: `process("sync_openapi.py", "--check", RSSPOT_BASE_URL=…)`."""

    def run(name, *arguments, **environment):
        command = [sys.executable, str(SCRIPTS / name), *map(str, arguments)]
        ended = subprocess.run(
            command, env=usual | environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
        assert "Traceback" not in ended.stderr, ended.stderr
        return ended

    return run


@pytest.fixture
def script(tmp_path, usual, monkeypatch, capsys):
    """Run a script in this process, which takes a fraction of the time; otherwise the same as `process`."""
    monkeypatch.chdir(tmp_path)

    def run(name, *arguments, **environment):
        with monkeypatch.context() as patch:
            for variable in os.environ.keys() - usual.keys():
                patch.delenv(variable)
            for variable, value in (usual | environment).items():
                patch.setenv(variable, value)
            capsys.readouterr()
            try:
                code = import_module(Path(name).stem).main([str(each) for each in arguments])
            except SystemExit as end:
                code = end.code
            return subprocess.CompletedProcess([name, *arguments], code, *capsys.readouterr())

    return run
