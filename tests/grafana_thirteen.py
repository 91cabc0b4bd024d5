"""A Grafana that refuses what 13 refuses and the real one of the tests does not; what it does not know fails the test.

Numeric ids of data sources are gone, its newer format is refused on the classic routes and hidden from them, and a save
needs the version it is based on. It keeps what it is given and knows nothing of boards.
"""

import base64
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from tests.servers import free_port

TOKEN: Final = "a-service-accounts-token"  # noqa: S105 -- of a server that lives for one test
PASSWORD: Final = "the-admins-password"  # noqa: S105 -- the same

Answer = tuple[int, Any]
NOT_FOUND: Final[Answer] = (404, {"message": "Not found"})


@dataclass
class Kept:
    """A board with its version; one saved from Grafana's own page is in the newer format from then on."""

    board: dict[str, Any]
    version: int
    newer: bool = False
    provisioned: bool = False


@dataclass
class Thirteen:
    """Where it listens and what it has. ``requests`` are method and path in order, ``strange`` those it does not know.

    ``refuses`` is asked first and may answer instead; ``keeps`` is in which form it keeps a board.
    """

    url: str = ""
    folders: dict[str, dict[str, Any]] = field(default_factory=dict)
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    boards: dict[str, Kept] = field(default_factory=dict)
    notes: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    health: Answer = (200, {"status": "OK", "message": "3 buckets found"})
    refuses: Callable[[str, str], Answer | None] = lambda _method, _path: None
    keeps: Callable[[dict[str, Any]], dict[str, Any]] = dict

    @property
    def writes(self) -> list[tuple[str, str]]:
        """What was asked to be changed."""
        return [each for each in self.requests if each[0] != "GET"]

    def answer(self, method: str, target: str, body: Any) -> Answer:  # noqa: ANN401 -- JSON
        path, query = urlsplit(target).path, parse_qs(urlsplit(target).query)
        self.requests.append((method, path))
        refusal = self.refuses(method, path)
        if refusal is not None:
            return refusal
        for route, handle in self._routes().items():
            verb, _, shape = route.partition(" ")
            found = re.fullmatch(shape, path)
            if verb == method and found is not None:
                said: Answer = handle(*found.groups(), body if method != "GET" else query)
                return said
        self.strange.append(f"{method} {path}")
        return NOT_FOUND

    def _routes(self) -> dict[str, Callable[..., Answer]]:
        return {
            r"GET /api/org": lambda _: (200, {"id": 1, "name": "Main Org."}),
            r"GET /api/user/orgs": lambda _: (200, [{"orgId": 1, "name": "Main Org.", "role": "Admin"}]),
            r"GET /api/folders/([\w-]+)": lambda uid, _: self._found(self.folders, uid),
            r"POST /api/folders": self._make_folder,
            r"GET /api/datasources/uid/([\w-]+)": lambda uid, _: self._found(self.sources, uid),
            r"GET /api/datasources/uid/([\w-]+)/health": lambda uid, _: (
                self.health if uid in self.sources else NOT_FOUND
            ),
            r"POST /api/datasources": lambda body: self._keep_source(body["uid"], body),
            r"PUT /api/datasources/uid/([\w-]+)": self._keep_source,
            r"GET /api/dashboards/uid/([\w-]+)": self._board,
            r"POST /api/dashboards/db": self._save,
            r"GET /api/annotations": self._notes_of,
            r"POST /api/annotations": self._note,
            r"PATCH /api/annotations/(\d+)": self._end,
        }

    @staticmethod
    def _found(there: dict[str, dict[str, Any]], uid: str) -> Answer:
        return (200, there[uid]) if uid in there else NOT_FOUND

    def _make_folder(self, body: dict[str, Any]) -> Answer:
        self.folders[body["uid"]] = body
        return 200, body

    def _keep_source(self, uid: str, body: dict[str, Any]) -> Answer:
        if self.sources.get(uid, {}).get("readOnly"):
            return 403, {"message": "Cannot update read-only data source"}
        assert isinstance(body["uid"], str)
        assert "id" not in body, "numeric ids mean nothing any more"
        told = {key: value for key, value in body.items() if key != "secureJsonData"}
        self.sources[uid] = told | {"secureJsonFields": dict.fromkeys(body["secureJsonData"], True), "readOnly": False}
        return 200, {"datasource": self.sources[uid]}

    def _board(self, uid: str, _: object) -> Answer:
        kept = self.boards.get(uid)
        if kept is None:
            return NOT_FOUND
        if kept.newer:
            at = f"/apis/dashboard.grafana.app/v2/namespaces/default/dashboards/{uid}"
            return 406, {"message": f"dashboard api version not supported, use {at} instead"}
        meta = {"provisioned": kept.provisioned, "folderUid": "cunjing", "version": kept.version}
        return 200, {"dashboard": kept.board | {"id": 7, "uid": uid, "version": kept.version}, "meta": meta}

    def _save(self, body: dict[str, Any]) -> Answer:
        board = body["dashboard"]
        if {"apiVersion", "kind", "metadata", "spec"} & board.keys():
            return 400, {"message": "Dashboard appears to be a full k8s style resource"}
        if {"elements", "layout"} & board.keys():
            return 400, {"message": "dashboard appears to be in v2 format. Please use the /apis/ API"}
        if not board.get("title"):
            return 400, {"message": "Dashboard is missing required title property"}
        if board.get("id") is not None:
            return 400, {"message": "numeric ids of boards are not used here"}
        if body["folderUid"] not in self.folders:
            return 404, {"message": "folder not found"}
        before = self.boards.get(board["uid"])
        if before is not None and before.provisioned:
            return 400, {"message": "Cannot save provisioned dashboard"}
        if before is not None and not body["overwrite"] and board.get("version") != before.version:
            return 412, {"message": "The dashboard has been changed by someone else", "status": "version-mismatch"}
        version = 1 if before is None else before.version + 1
        plain = {key: value for key, value in board.items() if key not in ("id", "uid", "version")}
        self.boards[board["uid"]] = Kept(self.keeps(plain), version)
        return 200, {"status": "success", "uid": board["uid"], "version": version}

    def _notes_of(self, query: dict[str, list[str]]) -> Answer:
        since, until = int(query["from"][0]), int(query["to"][0])
        wanted = set(query.get("tags", []))
        found = [
            note
            for note in self.notes
            if note["time"] <= until and note["timeEnd"] >= since and wanted <= set(note["tags"])
        ]
        return 200, found[: int(query["limit"][0])]

    def _note(self, body: dict[str, Any]) -> Answer:
        if not body["text"]:
            return 400, {"message": "Failed to save annotation: text field should not be empty"}
        number = len(self.notes) + 1
        self.notes.append({"timeEnd": body["time"], **body, "id": number})
        return 200, {"id": number, "message": "Annotation added"}

    def _end(self, number: str, body: dict[str, Any]) -> Answer:
        (note,) = [each for each in self.notes if each["id"] == int(number)]
        note |= body
        return 200, {"message": "Annotation patched"}


def edited_on_its_page(double: Thirteen, uid: str) -> None:
    """Somebody changes a board in the browser: it is saved in the newer format."""
    kept = double.boards[uid]
    double.boards[uid] = Kept(kept.board, kept.version + 1, newer=True)


@contextmanager
def thirteen() -> Iterator[Thirteen]:
    """The double while the context lasts; at its end every route must have been one that it knows."""
    double = Thirteen()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body leave together, and at once
        disable_nagle_algorithm = True

        def log_message(self, *_: object) -> None:
            """Says nothing."""

        def _handle(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            basic = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
            answer: Answer = 401, {"message": "Invalid API key"}
            if self.headers.get("Authorization") in (f"Bearer {TOKEN}", f"Basic {basic}"):
                answer = double.answer(self.command, self.path, json.loads(raw) if raw else None)
            status, said = answer
            content = said.encode() if isinstance(said, str) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815 -- the library's names

    port = free_port()
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    double.url = f"http://127.0.0.1:{port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield double
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
    assert double.strange == [], "routes that Grafana 13 does not have, or that nobody has thought about"
