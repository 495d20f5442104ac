"""A line to a server on which nothing may come back for a while, as to a phone in a tunnel."""
import json, random, select, socket, threading, time

from websockets.sync.client import connect


class SlowLine:
    """A port that leads to another one of this machine. While it is stalled, nothing is read from the server."""

    def __init__(self, port):
        self.port, self.moving, self.ended = port, threading.Event(), False
        self.moving.set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/"

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.ended = True
        self.moving.set()
        self.listener.close()

    def stall(self):
        self.moving.clear()

    def go_on(self):
        self.moving.set()

    def accept(self):
        while not self.ended:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.socket()
            # As on a radio link, so that the system takes little on the way, on both sides.
            far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
            far.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1200)
            far.connect(("127.0.0.1", self.port))
            threading.Thread(target=self.pump, args=(near, far, False), daemon=True).start()
            threading.Thread(target=self.pump, args=(far, near, True), daemon=True).start()

    def pump(self, source, sink, is_slow):
        try:
            while not self.ended:
                if is_slow:
                    self.moving.wait()
                if not select.select([source], [], [], .1)[0]:
                    continue
                data = source.recv(65536)
                sink.sendall(data) if data else sink.shutdown(socket.SHUT_WR)
                if not data:
                    return
        except OSError:
            source.close()
            sink.close()


def flood(server, visitor, room, number):
    """So many long messages, said one upon the other over a WebSocket; returns them when the server has taken all."""
    assert visitor.log_in(server)
    letters = [chr(c) for c in range(0x4e00, 0x9fff)]                       # three bytes each, and nothing to compress
    texts = [f"{n} " + "".join(random.choices(letters, k=3900)) for n in range(number)]
    cookies = "; ".join(f"{c.name}={c.value}" for c in visitor.cookies)
    with connect(f"ws{server.url[4:]}chatsocket?room={room}", additional_headers={"Cookie": cookies}, proxy=None) as ws:
        deadline = time.monotonic() + 60
        for n, text in enumerate(texts):
            ws.send(json.dumps({"body": text, "nonce": f"flood {n}"}))
            while (event := json.loads(ws.recv(deadline - time.monotonic()))).get("nonce") != f"flood {n}":
                assert event["type"] != "error", event
    return texts
