"""A mail provider that takes its time: `python -m benchmarks.provider` prints its address and answers until killed."""

import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LATENCY = 0.05  # seconds for an answer, as a provider across the network takes


class Handler(BaseHTTPRequestHandler):
    """Accepts everything."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Read the request whole, wait, accept."""
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        time.sleep(LATENCY)
        self.send_response(202)
        self.send_header("X-Message-Id", "m")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def main() -> None:
    """Serve on a free port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
