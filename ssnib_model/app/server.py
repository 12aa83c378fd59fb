"""Serves the page: on 127.0.0.1 only, at an address that nobody can guess."""

from __future__ import annotations

import asyncio
import importlib.util
import secrets
import socket
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssnib_model.app.design import Design, prepared
from ssnib_model.errors import OptionError

if TYPE_CHECKING:
    from bokeh.server.server import BaseServer

HOST = "127.0.0.1"

#: Bytes of one message from the page: a file of 20 MB, in base64.
MAX_MESSAGE = 28_000_000

MISSING = 'ssnib explore needs Bokeh, which is not installed: pip install "ssnib_model[app]"'


def require_bokeh() -> None:
    """`OptionError` if the extra is missing."""
    if importlib.util.find_spec("bokeh") is None:
        raise OptionError(MISSING)


def explore(
    parameters: str | Path = "Hu2024",
    *,
    port: int = 0,
    open_browser: bool = True,
    say: Callable[[str], Any] = print,
) -> None:
    """Serve a page with sliders for a cell until Ctrl-C.

    Needs the extra ``app``: ``pip install "ssnib_model[app]"``.

    Parameters
    ----------
    parameters : str or Path, optional
        Name or folder of the set to begin with; default "Hu2024".
    port : int, optional
        Port on 127.0.0.1; default 0: any that is free.
    open_browser : bool, optional
        Whether to open the page in the browser.
    say : callable, optional
        Takes each line for the person; default ``print``.

    Raises
    ------
    OptionError
        If Bokeh is not installed, the port is not allowed or taken, the set has no rate test, or
        where a server cannot wait, as in a notebook.
    ParameterError
        If the set cannot be read.
    """
    require_bokeh()
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        raise OptionError(
            "explore waits for Ctrl-C, which a notebook does not allow: run ssnib explore in a "
            "terminal"
        )
    design = Design(str(parameters))
    prepared(design.set, design.rates)  # whatever is wrong is said before anything is served
    server, address = serve(design, port)
    say(f"Explore {design.set} at {address}")
    say("The address is for this machine only and holds a secret; Ctrl-C ends it.")
    if open_browser:
        server.io_loop.add_callback(webbrowser.open, address)
    try:
        server.io_loop.start()
    except KeyboardInterrupt:
        say("ended")
    finally:
        server.stop()


def serve(design: Design, port: int = 0) -> tuple[BaseServer, str]:
    """A server that listens, and the address of its page; its loop is the caller's to start.

    Raises
    ------
    OptionError
        If the port is not allowed or taken.
    """
    from bokeh.application import Application
    from bokeh.application.handlers.function import FunctionHandler
    from bokeh.server.server import BaseServer
    from bokeh.server.tornado import BokehTornado
    from tornado.httpserver import HTTPServer
    from tornado.ioloop import IOLoop
    from tornado.web import ErrorHandler

    from ssnib_model.app.page import open_page

    if not 0 <= port <= 65535:
        raise OptionError(f"port is {port!r}: a whole number from 0 to 65535 is needed")
    listening = _listening(port)
    host = f"{HOST}:{listening.getsockname()[1]}"
    token = secrets.token_urlsafe(24)

    class Guarded(BokehTornado):
        """Answers requests that came to this address from a page of this address."""

        def find_handler(self, request: Any, **more: Any) -> Any:
            origin = request.headers.get("Origin")
            if request.host != host or origin not in (None, f"http://{host}"):
                return self.get_handler_delegate(request, ErrorHandler, {"status_code": 403})
            return super().find_handler(request, **more)

    handler = FunctionHandler(lambda document: open_page(document, design))
    tornado = Guarded(
        {"/explore": Application(handler)},
        prefix=token,
        extra_websocket_origins=[host],
        use_index=False,
        websocket_max_message_size_bytes=MAX_MESSAGE,
        check_unused_sessions_milliseconds=2_000,
        unused_session_lifetime_milliseconds=15_000,
        keep_alive_milliseconds=10_000,
    )
    http = HTTPServer(tornado, max_body_size=1_000_000)
    http.add_sockets([listening])
    server = BaseServer(IOLoop.current(), tornado, http)
    server.start()
    return server, f"http://{host}/{token}/explore"


def _listening(port: int) -> socket.socket:
    """A socket of this machine only."""
    found = socket.socket(socket.AF_INET)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.setblocking(False)
        found.bind((HOST, port))
        found.listen(32)
    except OSError as error:
        found.close()
        raise OptionError(f"port {port} of {HOST} cannot be had: {error.strerror}") from error
    return found
