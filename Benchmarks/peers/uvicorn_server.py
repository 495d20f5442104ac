"""The suite's server on uvicorn with uvloop and httptools: a bare ASGI application, files by Starlette."""

import argparse

import uvicorn
from starlette.staticfiles import StaticFiles


async def whole_body(receive):
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


async def respond(send, content_type, body):
    await send({"type": "http.response.start", "status": 200, "headers": [
        (b"content-type", content_type), (b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})


def application(root):
    files = StaticFiles(directory=root)

    async def app(scope, receive, send):
        path = scope["path"]
        if path == "/hello":
            await respond(send, b"text/plain", b"Hello, World!")
        elif path == "/body":
            await respond(send, b"application/octet-stream", await whole_body(receive))
        else:
            await files({**scope, "root_path": "/static"}, receive, send)
    return app


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--root", required=True)
    options = parser.parse_args()
    uvicorn.run(application(options.root), host="127.0.0.1", port=options.port, backlog=2048,
                loop="uvloop", http="httptools", ws="none", lifespan="off", access_log=False,
                log_level="error", timeout_keep_alive=60)


main()
