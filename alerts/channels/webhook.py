"""Texts into a group chat by apprise (extra ``webhook``): WeCom, DingTalk, Feishu and their like.

True means that the chat's server took it and nothing more: such a text stays accepted, and no receipt is waited for.
"""

import logging
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from alerts.channels import Accepted, Caps, ChannelKind, Failed, Fitness, Message, Outcome, SendRefused
from telemetry.tls_faults import kind_in

NAME: Final = "webhook"


class WebhookSettings(BaseModel):
    """``[channels.webhook]``: a file whose first line is apprise's address of the chat; it holds the chat's key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url_file: Path
    caps: Caps = Caps()


class Webhook:
    """One chat."""

    def __init__(self, settings: WebhookSettings) -> None:
        from apprise import Apprise  # noqa: PLC0415 it takes long, and few need it

        self._chat = Apprise()
        self._chat.add(_address(settings.url_file))

    def send(self, message: Message) -> Outcome:
        """Puts the text into the chat, as it stands."""
        if not message.text:
            return SendRefused("no_text")
        if not len(self._chat):
            return Failed("no_address")
        from apprise import LogCapture  # noqa: PLC0415 as above

        # Apprise says why it failed to its log alone.
        with LogCapture(level=logging.DEBUG) as said:  # type: ignore[no-untyped-call] # it has no types
            if self._chat.notify(body=message.text):
                return Accepted(message.mark, receipted=False)
            return Failed(kind_in(said.getvalue()) or "not_taken")

    def find(self, message: Message) -> Accepted | None:
        """No chat can be asked."""
        _ = message
        return None


def _address(path: Path) -> str:
    try:
        return path.read_text("utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _examine(settings: WebhookSettings) -> Fitness:
    """Whether apprise is here and knows the address; nothing is sent."""
    if find_spec("apprise") is None:
        remedy = "install the extra: pip install 'cunjing[webhook]'"
        return Fitness(usable=False, state="apprise is not installed", remedy=remedy)
    from apprise import Apprise  # noqa: PLC0415 it takes long, and few need it

    if Apprise.instantiate(_address(settings.url_file) or "-") is None:
        remedy = "write the chat's address as apprise spells it on the file's first line"
        return Fitness(usable=False, state=f"{settings.url_file} holds no address that apprise knows", remedy=remedy)
    return Fitness(usable=True, state="apprise knows the chat; what it takes is submitted, never known to be read")


CHANNEL: Final = ChannelKind(name=NAME, settings=WebhookSettings, open=Webhook, examine=_examine)
