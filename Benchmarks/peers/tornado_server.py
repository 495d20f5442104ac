"""The suite's server on Tornado, as its documentation writes it: one process, no access log."""

import argparse
import asyncio

import tornado.web


class HelloHandler(tornado.web.RequestHandler):
    def get(self):
        self.set_header("Content-Type", "text/plain")
        self.write("Hello, World!")


class BodyHandler(tornado.web.RequestHandler):
    def post(self):
        self.set_header("Content-Type", "application/octet-stream")
        self.write(self.request.body)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--root", required=True)
    options = parser.parse_args()
    application = tornado.web.Application([
        ("/hello", HelloHandler),
        ("/body", BodyHandler),
        ("/static/(.*)", tornado.web.StaticFileHandler, {"path": options.root}),
    ])
    application.listen(options.port, address="127.0.0.1", backlog=1024)
    await asyncio.Event().wait()


asyncio.run(main())
