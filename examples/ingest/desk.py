"""Stands for the interface of a help desk: `GET /tickets?since=…` answers pages of two tickets, oldest change first.

python examples/ingest/desk.py 8099
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

PAGE = 2


def ticket(number, company, changed, **more):
    return {
        "id": number, "company": company, "requester": f"person1@company{company}.example",
        "subject": f"Question {number}", "opened_at": "2025-01-10T09:00:00Z", "solved_at": None, "urgent": False,
        "updated_at": changed, **more,
    }  # fmt: skip


TICKETS = [
    ticket(1, 1, "2025-01-10T09:00:00Z", subject="Où est ma facture ?"),
    ticket(2, 2, "2025-01-11T09:00:00Z", urgent=True),
    ticket(3, 3, "2025-01-12T09:00:00Z", subject="エクスポートできません", solved_at="2025-01-12T10:00:00Z"),
]


class Desk(BaseHTTPRequestHandler):
    """Serves the server's list `tickets`."""

    def do_GET(self):
        address = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        found = sorted(
            (each for each in self.server.tickets if each["updated_at"] >= asked.get("since", "")),
            key=lambda each: (each["updated_at"], each["id"]),
        )
        first = int(asked.get("from", 0))
        more = urlencode({**asked, "from": first + PAGE})
        here = f"http://{self.headers['Host']}{address.path}"
        following = f"{here}?{more}" if first + PAGE < len(found) else None
        body = json.dumps({"tickets": found[first : first + PAGE], "next": following}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def serve(port, tickets=TICKETS):
    """A server that is not started yet."""
    server = ThreadingHTTPServer(("127.0.0.1", port), Desk)
    server.tickets = tickets
    return server


if __name__ == "__main__":
    serve(int(sys.argv[1])).serve_forever()
