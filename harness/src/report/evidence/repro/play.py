import os
import socket
import sys
import threading
import time

QUIET = 0.4  # how long nothing has to come before the next step is played
OVER = 1.5  # how long nothing has to come before all is over
UNPLAYABLE = 125  # what `git bisect run` skips


class Play:
    """Both sides of the proxy."""

    def __init__(self):
        self.sockets, self.heard, self.ends = {}, {}, {}
        self.news = threading.Condition()
        self.last = time.monotonic()

    def listen(self, address, names):
        """Lets the connections to an address play these parts, in the order in which they come."""
        host, port = address.rsplit(":", 1)
        host = host.strip("[]")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            listener = socket.create_server((host, int(port)), family=family)
        except OSError as error:
            unplayable(f"could not listen on {address}: {error}")
        threading.Thread(target=self._accept, args=(listener, list(names)), daemon=True).start()

    def dial(self, name):
        """Connects to the proxy."""
        proxy = os.environ.get("PROXY", "127.0.0.1:3128")
        host, port = proxy.rsplit(":", 1)
        try:
            connection = socket.create_connection((host.strip("[]"), int(port)))
        except OSError as error:
            unplayable(f"could not connect to {proxy}: {error}; PROXY says where the proxy is")
        self._hear(name, connection)

    def send(self, name, data):
        """Sends; nobody is there where the proxy has not come, or has gone."""
        self._try(name, lambda connection: connection.sendall(data))

    def end(self, name):
        """Sends the end of the stream."""
        self._try(name, lambda connection: connection.shutdown(socket.SHUT_WR))

    def pause(self, quiet=QUIET):
        """Waits until nothing more comes."""
        with self.news:
            begun = time.monotonic()
            while (left := max(self.last, begun) + quiet - time.monotonic()) > 0:
                self.news.wait(left)

    def seen(self):
        """What the proxy has done in the end."""
        self.pause(OVER)
        with self.news:
            return [shape(name, bytes(heard), self.ends.get(name, "")) for name, heard in self.heard.items()]

    def _accept(self, listener, names):
        others = []
        while True:
            connection, _ = listener.accept()
            if names:
                self._hear(names.pop(0), connection)
            else:
                others.append(connection)  # who comes beside them is let in, and hears nothing

    def _try(self, name, act):
        try:
            act(self.sockets[name])
        except (KeyError, OSError):
            pass

    def _hear(self, name, connection):
        with self.news:
            self.sockets[name], self.heard[name] = connection, bytearray()
            self._note()
        threading.Thread(target=self._read, args=(name, connection), daemon=True).start()

    def _read(self, name, connection):
        while True:
            try:
                piece = connection.recv(65536)
                end = "" if piece else ", the end"
            except OSError:
                piece, end = b"", ", a reset"
            with self.news:
                self.heard[name] += piece
                self.ends[name] = end
                self._note()
            if end:
                return

    def _note(self):
        self.last = time.monotonic()
        self.news.notify_all()


def shape(name, data, end):
    """What the proxy did on one connection, without what differs from run to run."""
    if not name.startswith("client"):
        return f"{name}: {len(data)} bytes{end}"
    statuses, at = [], 0
    while (head := data.find(b"\r\n\r\n", at)) >= 0:
        lines = data[at:head].decode("latin-1").lower().split("\r\n")
        status = "".join(lines[0].split(" ")[1:2]).strip()
        statuses.append(status)
        at = head + 4
        if status.startswith("2"):
            break
        lengths = [line.split(":", 1)[1].strip() for line in lines if line.startswith("content-length:")]
        # A body without a length goes on to the end.
        body = int(lengths[0]) if lengths and lengths[0].isdigit() else len(data)
        at = min(len(data), at + body)
    return f"{name}: {' '.join(statuses)}, {len(data) - at} bytes behind{end}"


def unplayable(why):
    print(why, file=sys.stderr)
    os._exit(UNPLAYABLE)


def secret():
    if "SECRET" not in os.environ:
        unplayable("the request carries credentials: put their base64 form into SECRET")
    return os.environ["SECRET"].encode()
