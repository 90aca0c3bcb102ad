"""Watches what a process does to the world outside, counts it, and lets the accident that is due happen.

Works at the narrowest seams there are, so that it knows nothing of what it watches: calls where a request goes into its
socket and where ``http.client`` reads the answer, writes at the audit events of the file system. These seams are cut
once in a process, and report to the watch that is on.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from errno import ENOSPC
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .accidents import (
    AT_THE_SERVER,
    DISK_FULL,
    FROZEN,
    KILLED_AFTER,
    KILLED_BEFORE,
    KILLED_DURING,
    TERMINATED,
    Accident,
    Effect,
)

CONTROL = "/_sandbox/"
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_STAGING = ".staging"
_REQUEST = re.compile(rb"(?P<method>[A-Z]+) (?P<target>\S+) HTTP/1\.[01]\r\n")
_ANSWER_WITHIN = 10.0

Tell = Callable[[str, object], None]


def kill_self() -> None:
    """End this process as a power cut would: no handler, no clean-up."""
    os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()


class Watch:
    """The effects of this process.

    :param folder: writes below it count.
    :param platform: URL of the sandbox, which is asked to misbehave at the right moment.
    :param accidents: what is still to happen. :param counted: effects since the last accident, in earlier processes.
    :param tell: told of each ``effect`` before it is begun, and of each accident that ``met`` it.
    """

    def __init__(self, folder: Path, platform: str, accidents: Sequence[Accident], counted: int, tell: Tell) -> None:
        self._folder = str(folder) + os.sep
        self._platform = platform
        self._accidents = list(accidents)
        self._count = counted
        self._tell = tell
        self._lock = threading.RLock()
        self._silent = threading.local()
        self.before_call: Callable[[], None] = lambda: None
        """Called before each call, and no effect itself."""
        self.on_waking: Callable[[], None] = lambda: None
        """Called when the process goes on after having been frozen."""

    @contextmanager
    def on(self) -> Iterator[None]:
        """Watch this process while the context lasts; one watch at a time."""
        global _watching
        _cut_seams()
        _watching = self
        try:
            yield
        finally:
            _watching = None

    def begin(self, effect: Effect) -> str | None:
        """An effect is about to be had; the name of the accident that befalls it, unless it is the end already."""
        with self._lock:
            self._count += 1
            self._tell("effect", effect)
            if not self._accidents or not self._accidents[0].befalls(effect, self._count):
                return None
            what = self._accidents.pop(0).what
            self._count = 0
            self._tell("met", what)
        if what == KILLED_BEFORE:
            kill_self()
        elif what == TERMINATED:
            os.kill(os.getpid(), signal.SIGTERM)
        elif what == FROZEN:
            self._accidents.clear()
            self.before_call()
            os.kill(os.getpid(), signal.SIGSTOP)
            self.on_waking()
        return what

    def report(self, label: str, send: Callable[[], None]) -> None:
        """Tell Airflow something."""
        what = self.begin(Effect("report", label))
        send()
        if what == KILLED_AFTER:
            kill_self()

    def control(self, page: str, body: dict[str, Any]) -> Any:
        """Ask the sandbox itself for something; this is no effect."""
        self._silent.now = True
        try:
            connection = http.client.HTTPConnection(urlsplit(self._platform).netloc, timeout=_ANSWER_WITHIN)
            connection.request("POST", CONTROL + page, json.dumps(body), {"Content-Type": "application/json"})
            with connection.getresponse() as answer:
                content = answer.read()
            connection.close()
            if answer.status != 200:
                raise RuntimeError(f"the sandbox refused {page}: {content.decode()}")
            return json.loads(content)
        finally:
            self._silent.now = False

    def call(self, method: str, url: str) -> str | None:
        """A request is about to be sent; the accident that befalls it."""
        if getattr(self._silent, "now", False):
            return None
        self.before_call()
        what = self.begin(Effect("call", f"{method} {urlsplit(url).path}"))
        if what in AT_THE_SERVER:
            self.control("faults", {"nth": 1, **AT_THE_SERVER[what]})
        return what

    def on_audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Something happens in the file system."""
        if event == "open":
            path, mode, flags = arguments
            if set(mode) & set("wxa+") if isinstance(mode, str) else (flags or 0) & _WRITING:
                self._written("stage" if _STAGING in str(path) else "open", path)
        elif event in ("os.rename", "os.link"):
            self._written(event.removeprefix("os."), arguments[1])
        elif event in ("os.remove", "os.rmdir", "os.truncate"):
            self._written(event.removeprefix("os."), arguments[0])

    def _written(self, how: str, path: object) -> None:
        place = os.fsdecode(path) if isinstance(path, (str, bytes, os.PathLike)) else ""
        if not place.startswith(self._folder):
            return
        key = place.removeprefix(self._folder)
        # What is staged has a name of no meaning, which differs from run to run.
        what = self.begin(Effect("write", how if key.startswith(_STAGING) else f"{how} {key}"))
        if what == DISK_FULL:
            raise OSError(ENOSPC, os.strerror(ENOSPC), place)
        if what == KILLED_AFTER:
            _kill_after_this_call()


def _kill_after_this_call() -> None:
    """Arrange for the end of this process right behind the system call that is about to be made."""

    def returned(frame: object, event: str, argument: object) -> None:
        if event == "c_return":
            kill_self()

    sys.setprofile(returned)


_watching: Watch | None = None


@cache
def _cut_seams() -> None:
    send, begin = socket.socket.sendall, http.client.HTTPResponse.begin
    due: dict[int, str | None] = {}

    def sendall(self: socket.socket, data: Any, *flags: int) -> None:
        request = (
            _REQUEST.match(data) if _watching is not None and isinstance(data, (bytes, bytearray, memoryview)) else None
        )
        if request is not None and _watching is not None:
            due[self.fileno()] = _watching.call(request["method"].decode(), request["target"].decode())
        send(self, data, *flags)

    def read_head(self: http.client.HTTPResponse) -> None:
        connection = self.fp.fileno()
        what = due.pop(connection, None)
        if what == KILLED_DURING:
            # The answer is there, unread: the platform has done what it was asked to.
            select.select([connection], [], [], _ANSWER_WITHIN)
            kill_self()
        begin(self)
        if what == KILLED_AFTER:
            kill_self()

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if _watching is not None:
            _watching.on_audit(event, arguments)

    socket.socket.sendall = sendall  # type: ignore[assignment, method-assign]
    http.client.HTTPResponse.begin = read_head  # type: ignore[method-assign]
    sys.addaudithook(audit)
