"""The suite's server on Tornado, as its documentation writes it: one process, no access log."""

import argparse
import asyncio

import tornado.web
import tornado.websocket


class HelloHandler(tornado.web.RequestHandler):
    def get(self):
        self.set_header("Content-Type", "text/plain")
        self.write("Hello, World!")


class BodyHandler(tornado.web.RequestHandler):
    def post(self):
        self.set_header("Content-Type", "application/octet-stream")
        self.write(self.request.body)


class BroadcastHandler(tornado.websocket.WebSocketHandler):
    sockets = set()

    def open(self):
        self.sockets.add(self)

    def on_close(self):
        self.sockets.discard(self)

    def on_message(self, message):
        for socket in self.sockets:
            socket.write_message(message, binary=isinstance(message, bytes))


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--root", required=True)
    options = parser.parse_args()
    application = tornado.web.Application([
        ("/hello", HelloHandler),
        ("/body", BodyHandler),
        ("/broadcast", BroadcastHandler),
        ("/static/(.*)", tornado.web.StaticFileHandler, {"path": options.root}),
    ])
    application.listen(options.port, address="127.0.0.1", backlog=1024)
    await asyncio.Event().wait()


asyncio.run(main())
