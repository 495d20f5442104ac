#!/usr/bin/env python3
"""Gale from Python, by ctypes on the shared library: no compiler, no package.

    make lib && python3 examples/python/hello.py [PORT]

The library is looked for in the environment variable GALE_LIB, in build/lib of this repository, and where the system
keeps its libraries. The structures below are those of include/gale.h, field by field.
"""
import ctypes
import ctypes.util
import os
import pathlib
import signal
import sys
import traceback
from ctypes import (CFUNCTYPE, POINTER, Structure, byref, c_bool, c_char_p, c_int, c_size_t, c_uint32, c_uint64,
                    c_void_p, sizeof)


class Str(Structure):  # gale_str_t: borrowed bytes, not NUL-terminated
    _fields_ = [("ptr", c_void_p), ("len", c_size_t)]

    def __bytes__(self):
        return ctypes.string_at(self.ptr, self.len) if self.ptr else b""


class Header(Structure):  # gale_header_t
    _fields_ = [("name", Str), ("value", Str)]


class Config(Structure):  # gale_config_t
    _fields_ = ([("struct_size", c_size_t)]
                + [(name, c_uint32) for name in ("workers", "backlog", "max_header_bytes", "max_headers")]
                + [("max_body_bytes", c_uint64)]
                + [(name, c_uint32) for name in ("header_timeout_ms", "body_timeout_ms", "idle_timeout_ms",
                                                 "write_timeout_ms", "shutdown_grace_ms", "write_high_water",
                                                 "write_low_water")]
                + [("write_limit", c_uint64), ("ws_max_message_bytes", c_uint64)]
                + [(name, c_uint32) for name in ("ws_close_timeout_ms", "allow_half_close", "no_server_header")])


OnRequest = CFUNCTYPE(None, c_void_p, c_void_p)
OnBody = CFUNCTYPE(None, c_void_p, Str, c_bool, c_void_p)
OnDone = CFUNCTYPE(None, c_void_p, c_int, c_void_p)


class Handler(Structure):  # gale_handler_t
    _fields_ = [("struct_size", c_size_t), ("on_request", OnRequest), ("on_body", OnBody), ("on_drain", OnRequest),
                ("on_done", OnDone), ("on_worker_start", OnRequest), ("on_worker_stop", OnRequest)]


def load():
    here = pathlib.Path(__file__).resolve().parent.parent.parent / "build" / "lib" / "libgale.so"
    path = os.environ.get("GALE_LIB") or (str(here) if here.exists() else ctypes.util.find_library("gale"))
    if not path:
        sys.exit("hello.py: libgale.so not found; run `make lib`, or set GALE_LIB to its path")
    try:
        gale = ctypes.CDLL(path)
    except OSError as error:
        sys.exit(f"hello.py: {error}")
    for name, result, *arguments in [
        ("gale_config_init", None, POINTER(Config), c_size_t),
        ("gale_handler_init", None, POINTER(Handler), c_size_t),
        ("gale_server_new", c_int, POINTER(c_void_p), POINTER(Config)),
        ("gale_server_handle", c_int, c_void_p, POINTER(Handler), c_void_p),
        ("gale_server_listen", c_int, c_void_p, c_char_p),
        ("gale_server_errmsg", c_char_p, c_void_p),
        ("gale_server_port", c_int, c_void_p, c_size_t),
        ("gale_server_start", c_int, c_void_p),
        ("gale_server_stop", c_int, c_void_p),
        ("gale_server_join", c_int, c_void_p),
        ("gale_server_free", None, c_void_p),
        ("gale_req_path", Str, c_void_p),
        ("gale_respond", c_int, c_void_p, c_int, POINTER(Header), c_size_t, Str),
        ("gale_strerror", c_char_p, c_int),
    ]:
        function = getattr(gale, name)
        function.restype, function.argtypes = result, arguments
    return gale


gale = load()


def respond(req, status, body, content_type=b"text/plain; charset=utf-8"):
    def text(data):  # `data` must outlive the call: it does, as the caller's argument
        return Str(ctypes.cast(data, c_void_p), len(data))

    name = b"Content-Type"
    headers = (Header * 1)(Header(text(name), text(content_type)))
    gale.gale_respond(req, status, headers, 1, text(body))


def hello(req, _data):
    # An exception must not leave a callback: the client would wait for ever.
    try:
        if bytes(gale.gale_req_path(req)) == b"/":
            respond(req, 200, b"Hello, World!")
        else:
            respond(req, 404, b"Not Found\n")
    except Exception:
        traceback.print_exc()
        respond(req, 500, b"Internal Server Error\n")


def check(code, server=None):
    if code < 0:
        sys.exit("hello.py: " + (gale.gale_server_errmsg(server) if server else gale.gale_strerror(code)).decode())


def port_argument(words):
    """The port, "8080" unless it is given; ends the program when the command line is wrong."""
    if "--help" in words:
        print("usage: hello.py [PORT]")
        sys.exit(0)
    port, *others = words or ["8080"]
    wrong = "" if port.isascii() and port.isdigit() and int(port[:6]) <= 65535 else f"not a port: {port!r}"
    if others or port.startswith("-"):
        wrong = f"unknown argument {others[0] if others else port!r}"
    if wrong:
        print(f"hello.py: {wrong}; --help says what it takes", file=sys.stderr)
        sys.exit(2)
    return port


def main():
    port = port_argument(sys.argv[1:])
    config = Config()
    gale.gale_config_init(byref(config), sizeof(config))
    config.workers = 1  # Python runs one thread at a time anyway
    handler = Handler()
    gale.gale_handler_init(byref(handler), sizeof(handler))
    callback = OnRequest(hello)  # kept in a variable: Gale calls it as long as the server runs
    handler.on_request = callback

    server = c_void_p()
    check(gale.gale_server_new(byref(server), byref(config)))
    check(gale.gale_server_handle(server, byref(handler), None), server)
    check(gale.gale_server_listen(server, f"http://127.0.0.1:{port}".encode()), server)
    # Blocked before the worker thread begins, so that sigwait gets them.
    stop_signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop_signals)
    check(gale.gale_server_start(server), server)
    print(f"listening on http://127.0.0.1:{gale.gale_server_port(server, 0)}", flush=True)
    signal.sigwait(stop_signals)
    gale.gale_server_stop(server)
    gale.gale_server_join(server)
    gale.gale_server_free(server)
    del callback


if __name__ == "__main__":
    main()
