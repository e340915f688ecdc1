"""A way to a PostgreSQL server that loses connections at the worst moment: around a commit."""

from __future__ import annotations

import selectors
import socket
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Self

COMMIT = b"COMMIT\0"
SIDES = ("before", "after")
End = socket.socket


class CuttingProxy:
    """A socket in a folder of its own. Whoever connects to it talks to the server, until a commit is cut off.

    `cut` is a side: `before` the server has heard of the commit, or `after` it has answered. One commit is cut off so.
    """

    def __init__(self, server: Path, port: int) -> None:
        self._server = server / f".s.PGSQL.{port}"
        self._own = tempfile.TemporaryDirectory(prefix="rsspot-cut-")
        self.folder = Path(self._own.name)
        self.cut: str | None = None
        self.cuts = 0
        self._peers: dict[End, End] = {}
        self._clients: set[End] = set()
        self._doomed: set[End] = set()
        """The servers whose next answer nobody hears."""
        self._selector = selectors.DefaultSelector()
        self._listener, (self._waker, self._woken) = End(socket.AF_UNIX), socket.socketpair()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._listener.bind(str(self.folder / self._server.name))
        self._listener.listen()
        for each in (self._listener, self._woken):
            self._selector.register(each, selectors.EVENT_READ)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._waker.close()
        self._thread.join()
        for each in (*self._peers, self._listener, self._woken):
            each.close()
        self._selector.close()
        self._own.cleanup()

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                end = key.fileobj
                if end is self._woken:
                    return
                if end is self._listener:
                    self._accept()
                elif isinstance(end, End) and end in self._peers:
                    self._pass_on(end)

    def _accept(self) -> None:
        client, server = self._listener.accept()[0], End(socket.AF_UNIX)
        server.connect(str(self._server))
        self._peers |= {client: server, server: client}
        self._clients.add(client)
        for each in (client, server):
            self._selector.register(each, selectors.EVENT_READ)

    def _pass_on(self, end: End) -> None:
        message, peer = b"", self._peers[end]
        with suppress(OSError):
            message = end.recv(65536)
        commits = COMMIT in message and end in self._clients and self.cut
        if commits:
            self.cut = None
            self.cuts += 1
        if commits == "after":
            self._doomed.add(peer)
        if not message or commits == "before" or end in self._doomed:
            self._end(end, peer)
            return
        with suppress(OSError):
            peer.sendall(message)

    def _end(self, *ends: End) -> None:
        for each in ends:
            self._selector.unregister(each)
            del self._peers[each]
            each.close()
