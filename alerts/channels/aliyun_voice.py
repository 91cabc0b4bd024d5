"""Calls through Aliyun's voice service by its SDK (extra ``aliyun``): a text read out, and whether anybody listened.

A call that was answered is delivered; one that was not has a bad receipt, and the courier goes another way.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

from pydantic import Field

from alerts.answers import Receipt, receipt
from alerts.channels import (
    Accepted,
    Awaited,
    ChannelKind,
    Collected,
    Failed,
    Message,
    Outcome,
    SendRefused,
    Unreachable,
)
from alerts.channels.aliyun import ASKED_AT_ONCE, AliyunAccount, asked, config, examine, lint, prepared, runtime
from telemetry.phone import dialled
from telemetry.reading import Millis

NAME: Final = "aliyun_voice"
_NOTICES: Final = 11_000_000_300_006
"""The provider's number for spoken notices."""


class AliyunVoiceSettings(AliyunAccount):
    """``[channels.aliyun_voice]``; without ``show_number`` the provider chooses one."""

    endpoint: str = "dyvmsapi.aliyuncs.com"
    show_number: str | None = None
    play_times: int = Field(default=2, ge=1, le=3)


class AliyunVoice:
    """One account that calls."""

    def __init__(self, settings: AliyunVoiceSettings) -> None:
        from alibabacloud_dyvmsapi20170525 import models  # noqa: PLC0415 it takes long, and few need it
        from alibabacloud_dyvmsapi20170525.client import Client  # noqa: PLC0415 the same

        self._settings = settings
        self._models = models
        self._client = Client(config(settings))
        self.every_s = settings.collect_every_s

    def send(self, message: Message) -> Outcome:
        """Has an approved text read out."""
        filled = prepared(self._settings, message)
        if isinstance(filled, SendRefused):
            return filled
        code, values = filled
        request = self._models.SingleCallByTtsRequest(
            called_number=dialled(message.phone),
            called_show_number=self._settings.show_number,
            tts_code=code,
            tts_param=json.dumps(values, ensure_ascii=False),
            play_times=self._settings.play_times,
            out_id=message.mark[:15],
        )
        body = asked(lambda: self._client.single_call_by_tts_with_options(request, runtime(self._settings)).body)
        return body if isinstance(body, Failed | SendRefused) else Accepted(str(body.call_id))

    def find(self, message: Message) -> Accepted | None:
        """Nobody can be asked for a call by our key: one nobody saw end is made again."""
        _ = message
        return None

    def collect(self, awaited: Sequence[Awaited], now_ms: Millis) -> Collected:
        """Whether calls were answered, asked one by one."""
        found = (self._receipt(call, now_ms) for call in awaited[:ASKED_AT_ONCE])
        return Collected(tuple(each for each in found if each is not None))

    def taken(self, collected: Collected) -> None:
        """Nothing is kept there for us."""

    def _receipt(self, call: Awaited, now_ms: Millis) -> Receipt | None:
        request = self._models.QueryCallDetailByCallIdRequest(
            call_id=call.reference, prod_id=_NOTICES, query_date=call.accepted_ms
        )
        options = runtime(self._settings)
        body = asked(lambda: self._client.query_call_detail_by_call_id_with_options(request, options).body)
        if isinstance(body, Failed | SendRefused):
            raise Unreachable(body.reason)
        detail = _detail(body.data)
        if not detail.get("endDate"):
            return None  # it rings, or is still spoken
        answered = str(detail.get("duration", "0")) not in ("0", "")
        reason = f"call_{detail.get('state', '')}"
        return receipt(NAME, call.reference, delivered=answered, at_ms=now_ms, reason=reason)


def _detail(data: object) -> dict[str, Any]:
    """The call's record, which comes as JSON inside JSON."""
    try:
        found = json.loads(str(data))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


CHANNEL: Final = ChannelKind(
    name=NAME,
    settings=AliyunVoiceSettings,
    open=AliyunVoice,
    speaks=True,
    examine=lambda settings: examine(settings, "alibabacloud_dyvmsapi20170525"),
    lint=lambda settings: lint(NAME, settings),
)
