"""The webhook channel: apprise itself, against a chat server on loopback. Taken is not delivered."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from alerts.channels import Accepted, Failed, Message
from alerts.channels.webhook import CHANNEL, Webhook, WebhookSettings

pytest.importorskip("apprise", reason="install the extra webhook")

MESSAGE = Message("fire/1#first.0.0@li", "fire/1", "li", "13900000001", "【湘阳环卫】火警。", "2026-11-22T16:40:01Z")


class Chat(ThreadingHTTPServer):
    """A chat that takes, or not, and keeps what it was given."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.heard: list[str] = []


class _Handler(BaseHTTPRequestHandler):
    server: Chat

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.heard.append(body["message"])
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def chat() -> Iterator[Chat]:
    with Chat() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def settings(chat: Chat, folder: Path) -> WebhookSettings:
    (folder / "chat").write_text(f"json://127.0.0.1:{chat.server_address[1]}/\n", "utf-8")
    return WebhookSettings(url_file=folder / "chat")


def test_what_a_chat_takes_is_accepted_and_no_receipt_is_waited_for(chat: Chat, tmp_path: Path) -> None:
    outcome = Webhook(settings(chat, tmp_path)).send(MESSAGE)
    assert outcome == Accepted(MESSAGE.mark, delivered=False, receipted=False)
    assert chat.heard == [MESSAGE.text]


def test_what_a_chat_does_not_take_has_failed(chat: Chat, tmp_path: Path) -> None:
    chat.status = 500
    assert Webhook(settings(chat, tmp_path)).send(MESSAGE) == Failed("not_taken")


def test_an_address_that_is_none_is_said_by_doctor_and_tried_later(chat: Chat, tmp_path: Path) -> None:
    good = settings(chat, tmp_path)
    assert CHANNEL.examine is not None
    assert CHANNEL.examine(good).usable
    (tmp_path / "chat").write_text("nonsense\n", "utf-8")
    assert not CHANNEL.examine(good).usable
    assert Webhook(good).send(MESSAGE) == Failed("no_address")
