"""Hello, World! on Tornado, as its documentation writes it: one process, no access log."""

import argparse
import asyncio

import tornado.web


class HelloHandler(tornado.web.RequestHandler):
    def get(self):
        self.set_header("Content-Type", "text/plain")
        self.write("Hello, World!")


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    application = tornado.web.Application([("/hello", HelloHandler)])
    application.listen(port, address="127.0.0.1")
    await asyncio.Event().wait()


asyncio.run(main())
