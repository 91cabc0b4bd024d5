"""Texts through Aliyun's SMS by its own SDK (extra ``aliyun``): approved templates out, receipts asked for.

HTTP 200 says nothing here: what happened is the ``Code`` in the body. The SDK is imported when a channel is opened. No
other place knows what the provider forbids in a template; that part of it is pure.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from alerts.answers import Receipt, Reply, receipt, reply
from alerts.channels import (
    Accepted,
    Awaited,
    Caps,
    ChannelKind,
    Collected,
    Failed,
    Fitness,
    Hook,
    Message,
    Outcome,
    SendRefused,
    Unreachable,
)
from alerts.notify.texts import DOUBT, FACTS, PLACE, SHORTENED, shortened
from telemetry.phone import dialled
from telemetry.reading import Millis
from telemetry.segments import units
from telemetry.tls_faults import kind_in, kind_of

NAME: Final = "aliyun"
OK: Final = "OK"
THROTTLED: Final = ("isv.BUSINESS_LIMIT_CONTROL", "Throttling")
"""Codes, or beginnings of codes, that mean: not now. Which limit it was, the first says in words."""
_LIMITS: Final = {"分钟级": "limit_minute", "小时级": "limit_hour", "天级": "limit_day", "月级": "limit_month"}
_LIMIT_CODES: Final = {"isv.DAY_LIMIT_CONTROL": "limit_day", "isv.MONTH_LIMIT_CONTROL": "limit_month"}
_DEAD: Final = (
    "isv.MOBILE_NUMBER_ILLEGAL",
    "isv.MOBILE_IN_BLACK",
    "isv.BLACK_LIST",
    "isv.CUSTOMER_REFUSED",
    "isv.DOMESTIC_NUMBER_NOT_SUPPORTED",
)
"""The number cannot be, is on a black list, or its owner wants no texts: a person has to look after it."""
_FINAL: Final = (
    "isv.SMS_TEMPLATE_ILLEGAL",
    "isv.SMS_SIGNATURE_ILLEGAL",
    "isv.SMS_SIGN_ILLEGAL",
    "isv.SMS_SIGNATURE_SCENE_ILLEGAL",
    "isv.SMS_CONTENT_ILLEGAL",
    "isv.BLACK_KEY_CONTROL_LIMIT",
    "isv.TEMPLATE_MISSING_PARAMETERS",
    "isv.TEMPLATE_PARAMS_ILLEGAL",
    "isv.TEMPLATE_COUNT_OVER_LIMIT",
    "isv.INVALID_PARAMETERS",
    "isv.INVALID_JSON_PARAM",
    "isv.PARAM_LENGTH",
    "isv.PARAM_NOT_SUPPORT_URL",
    "isv.TTS_TEMPLATE_ILLEGAL",
)
"""Template, signature or words: the same text is refused as often as it is sent."""
ASKED_AT_ONCE: Final = 20
"""Each receipt that is asked for is a call."""
_SENDING: Final = 1
_ARRIVED: Final = 3
_CHINA: Final = timezone(timedelta(hours=8))
_PAGE: Final = 10
_REMEDY: Final = "install the extra: pip install 'cunjing[aliyun]'"

T = TypeVar("T")


_VARIABLE: Final = re.compile(r"\$\{([^}]*)\}")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,19}")
_FACT: Final = re.compile(r"\{([^}]*)\}")
_LINK: Final = re.compile(r"https?:|www\.|[a-z0-9-]+\.(?:com|cn|net|org)\b", re.IGNORECASE)
_SPECIAL: Final = re.compile(
    r"[\u2100-\u214f\u2460-\u24ff\u2190-\u21ff\u25a0-\u27bf\u3300-\u33ff\U0001f000-\U0001faff]"
)
"""Letter-like signs (℃), circled digits (①), arrows, shapes, squared units (㎡), pictures."""


_LONGEST: Final[Mapping[str, int]] = MappingProxyType(
    {
        **dict.fromkeys(FACTS, 6),
        "signs": 18,
        "office_phone": 13,
        "deadline": 8,
        "deadline_time": 8,
        "heat": 11,
        "cooled": 7,
        DOUBT: 9,
        **SHORTENED,
    }
)
"""Units that a fact cannot do without, however much it is cut; six where nothing is longer."""


class Approved(BaseModel):
    """``[channels.NAME.templates.TEXT]``: one approved template for a text of the catalogue."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str = Field(min_length=1)
    text: str = Field(min_length=1)
    """As approved, with ${variables}; the linter reads it, the provider has its own copy."""
    variables: dict[str, str] = Field(default_factory=dict)
    """What each variable stands for: words and {facts} of the catalogue."""

    def filled(self, facts: Mapping[str, str], most: int) -> dict[str, str]:
        """The values to send, each cut to ``most`` units if its facts can give way; an unknown fact leaves nothing."""
        known = dict.fromkeys(FACTS, "") | dict(facts)
        return {name: _cut(words, known, most) for name, words in self.variables.items()}


def faults(where: str, approved: Approved, most: int) -> Iterator[str]:
    """A sentence for each thing in a template that the provider would refuse."""
    yield from _word_faults(where, approved)
    yield from _variable_faults(where, approved, _VARIABLE.split(approved.text))
    for name, words in approved.variables.items():
        longest = units(_FACT.sub("", words)) + sum(_LONGEST.get(fact, 0) for fact in _FACT.findall(words))
        if longest > most:
            remedy = "let it speak of fewer facts, or put fixed words into the text"
            yield f"{where}: variable {name} can get {longest} signs long, {most} are allowed; {remedy}"


def _word_faults(where: str, approved: Approved) -> Iterator[str]:
    text = approved.text
    if "【" in text or "】" in text:
        yield f"{where}: 【】 stands in the text; remove it, the provider puts the signature there"
    if found := _SPECIAL.search(text + "".join(approved.variables.values())):
        yield f"{where}: the sign {found[0]!r} is refused; write it as a word (度, 平方米, 1)"
    if found := _LINK.search(text + "".join(approved.variables.values())):
        yield f"{where}: the link {found[0]!r} is refused; remove it"


def _variable_faults(where: str, approved: Approved, parts: list[str]) -> Iterator[str]:
    names = parts[1::2]
    for (name, between), (other, _) in pairwise(zip(names, parts[2::2], strict=True)):
        if not between:
            yield f"{where}: variables {name} and {other} touch; put a word between them, or make them one"
    for name in names:
        if not _NAME.fullmatch(name):
            yield f"{where}: {name!r} is no name for a variable; use letters, figures and _"
        elif name not in approved.variables:
            yield f"{where}: nothing is said for variable {name}; add it under variables"
    for name in approved.variables.keys() - set(names):
        yield f"{where}: variable {name} is not in the text; remove it, or mend its spelling"
    for name, words in approved.variables.items():
        for fact in _FACT.findall(words):
            if fact not in FACTS:
                yield f"{where}: variable {name} speaks of {{{fact}}}, which no case has; see the catalogue"


def too_long(values: Mapping[str, str], most: int) -> str:
    """The first variable whose value the provider would refuse for its length; empty if there is none."""
    return next((name for name, value in values.items() if units(value) > most), "")


def _cut(words: str, facts: Mapping[str, str], most: int) -> str:
    """The words with their facts; lists give way first, then long names; where it is is never cut here."""
    value = words.format_map(facts)
    for fact, least in SHORTENED.items():
        over, said = units(value) - most, words.count(f"{{{fact}}}")
        if over > 0 and said and fact != PLACE:
            room = max(least, units(facts[fact]) - -(-over // said))
            facts = {**facts, fact: shortened(facts[fact], room, fact)}
            value = words.format_map(facts)
    return value


class AliyunAccount(BaseModel):
    """Who we are to Aliyun, and where it is; each secret is the first line of a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    access_key_id_file: Path
    access_key_secret_file: Path
    endpoint: str
    protocol: str = Field(default="https", pattern="^https?$")
    templates: dict[str, Approved]
    variable_most: int = Field(default=35, ge=1)
    timeout_s: float = Field(default=10.0, gt=0, le=60)
    collect_every_s: float = Field(default=30.0, ge=0.1)
    caps: Caps = Caps()


class AliyunSettings(AliyunAccount):
    """``[sms]`` or ``[channels.aliyun]``."""

    endpoint: str = "dysmsapi.aliyuncs.com"
    signature: str = Field(min_length=1)
    """As approved, without brackets."""


class Aliyun:
    """One account, one signature."""

    def __init__(self, settings: AliyunSettings) -> None:
        from alibabacloud_dysmsapi20170525 import models  # noqa: PLC0415 it takes long, and few need it
        from alibabacloud_dysmsapi20170525.client import Client  # noqa: PLC0415 the same

        self._settings = settings
        self._models = models
        self._client = Client(config(settings))
        self.every_s = settings.collect_every_s

    def send(self, message: Message) -> Outcome:
        """One text by its approved template; refused when there is none, or a variable is too long."""
        filled = prepared(self._settings, message)
        if isinstance(filled, SendRefused):
            return filled
        code, values = filled
        request = self._models.SendSmsRequest(
            phone_numbers=dialled(message.phone),
            sign_name=self._settings.signature,
            template_code=code,
            template_param=json.dumps(values, ensure_ascii=False),
            out_id=message.mark,
        )
        body = asked(lambda: self._client.send_sms_with_options(request, runtime(self._settings)).body)
        return body if isinstance(body, Failed | SendRefused) else Accepted(str(body.biz_id))

    def find(self, message: Message) -> Accepted | None:
        """The text of this key among those that the number got on its day and today."""
        sent = datetime.fromisoformat(message.at).astimezone(_CHINA)
        try:
            details = list(self._details(message.phone, sent, ""))
        except Unreachable:
            return None
        found = next((detail for detail in details if detail.out_id == message.mark), None)
        return found and Accepted(f"out:{message.mark}", delivered=found.send_status == _ARRIVED)

    def collect(self, awaited: Sequence[Awaited], now_ms: Millis) -> Collected:
        """Receipts, asked one by one; replies are pushed, not fetched."""
        found: list[Receipt] = []
        for text in awaited[:ASKED_AT_ONCE]:
            at = datetime.fromtimestamp(text.accepted_ms / 1_000, UTC).astimezone(_CHINA)
            by_mark = text.reference.startswith("out:")
            for detail in self._details(text.phone, at, "" if by_mark else text.reference):
                if detail.send_status == _SENDING or (by_mark and f"out:{detail.out_id}" != text.reference):
                    continue
                arrived = detail.send_status == _ARRIVED
                why = str(detail.err_code or "")
                found.append(receipt(NAME, text.reference, delivered=arrived, at_ms=now_ms, reason=why))
        return Collected(tuple(found))

    def taken(self, collected: Collected) -> None:
        """Nothing is kept there for us."""

    def _details(self, phone: str, at: datetime, reference: str) -> Iterator[Any]:
        request = self._models.QuerySendDetailsRequest(
            phone_number=dialled(phone),
            biz_id=reference or None,
            send_date=at.strftime("%Y%m%d"),
            page_size=_PAGE,
            current_page=1,
        )
        body = asked(lambda: self._client.query_send_details_with_options(request, runtime(self._settings)).body)
        if isinstance(body, Failed | SendRefused):
            raise Unreachable(body.reason)
        details = body.sms_send_detail_dtos
        yield from () if details is None else details.sms_send_detail_dto or ()


def prepared(settings: AliyunAccount, message: Message) -> SendRefused | tuple[str, dict[str, str]]:
    """The template's code and the values for its variables; why not, where it cannot be."""
    approved = settings.templates.get(message.template)
    if approved is None:
        return SendRefused("no_template")
    values = approved.filled(message.variables, settings.variable_most)
    return SendRefused("variable_too_long") if too_long(values, settings.variable_most) else (approved.code, values)


def asked(call: Callable[[], T]) -> T | Failed | SendRefused:
    """What the provider answered, once its ``Code`` says that it did; its refusals and its silence by name."""
    from darabonba.exceptions import RetryError, TeaException  # noqa: PLC0415 the SDK's own
    from requests.exceptions import RequestException, Timeout  # noqa: PLC0415 the SDK's own

    try:
        body = call()
    except Timeout:
        return Failed("timeout")
    except RequestException as error:
        return Failed(kind_of(error) or "unreachable")
    except RetryError as error:
        return _silent(error)
    except TeaException as error:
        code = str(error.code or "")
        return judged(code, str(error.message or "")) if code else _silent(error)
    code = str(getattr(body, "code", ""))
    return body if code == OK else judged(code, str(getattr(body, "message", None) or ""))


def _silent(error: Exception) -> Failed:
    """No answer: whether it was asked in vain, or took the text and did not say so."""
    said = f"{error} {getattr(error, 'message', '')} {getattr(error, 'inner_exception', '')}".lower()
    return Failed("timeout" if "timed out" in said else kind_of(error) or kind_in(said) or "unreachable")


def judged(code: str, words: str = "") -> Failed | SendRefused:
    """A code that is not OK: not now, never, or not this time. Which limit was met, the provider says in words."""
    if code.startswith(THROTTLED):
        return Failed(next((limit for name, limit in _LIMITS.items() if name in words), "rate_limited"))
    if code in _LIMIT_CODES:
        return Failed(_LIMIT_CODES[code])
    if code.startswith(_DEAD):
        return SendRefused(code, dead_number=True)
    return SendRefused(code) if code.startswith(_FINAL) else Failed(code or "unreachable")


def config(settings: AliyunAccount) -> Any:  # noqa: ANN401 -- the SDK's own
    """The SDK's configuration, the secrets read now."""
    from alibabacloud_tea_openapi.utils_models import Config  # noqa: PLC0415 the SDK's own

    return Config(
        access_key_id=secret(settings.access_key_id_file),
        access_key_secret=secret(settings.access_key_secret_file),
        endpoint=settings.endpoint,
        protocol=settings.protocol,
    )


def runtime(settings: AliyunAccount) -> Any:  # noqa: ANN401 -- the SDK's own
    """One try, bounded: trying again is the courier's."""
    from darabonba.runtime import RuntimeOptions  # noqa: PLC0415 the SDK's own

    ms = int(settings.timeout_s * 1_000)
    return RuntimeOptions(autoretry=False, max_attempts=1, read_timeout=ms, connect_timeout=ms)


def secret(path: Path) -> str:
    """The first line of a secret's file."""
    return path.read_text("utf-8").partition("\n")[0].strip()


def examine(settings: AliyunAccount, package: str) -> Fitness:
    """Whether the SDK is here and the secrets can be read; the provider is not called, since that may cost."""
    if find_spec(package) is None:
        return Fitness(usable=False, state="its SDK is not installed", remedy=_REMEDY)
    for path in (settings.access_key_id_file, settings.access_key_secret_file):
        try:
            found = secret(path)
        except (OSError, UnicodeDecodeError):
            found = ""
        if not found:
            return Fitness(usable=False, state=f"{path} holds no secret", remedy="write it on the file's first line")
    return Fitness(usable=True, state=f"{len(settings.templates)} approved templates, by {settings.endpoint}")


def lint(name: str, settings: AliyunAccount) -> tuple[str, ...]:
    """A sentence for each fault of its templates."""
    return tuple(
        fault
        for template, approved in settings.templates.items()
        for fault in faults(f"[channels.{name}.templates.{template}]", approved, settings.variable_most)
    )


def heard(pushed: object, at_ms: Millis) -> Collected | None:
    """A pushed SmsReport or SmsUp: a list of rows. Rows that are neither are left out; ``None`` if all of them are."""
    rows = [row for row in pushed if isinstance(row, dict)] if isinstance(pushed, list) else []
    found = Collected(
        tuple(said for row in rows for said in _reported(row, at_ms)),
        tuple(said for row in rows for said in _written(row, at_ms)),
    )
    return found if found.receipts or found.replies else None


def _reported(row: dict[str, Any], at_ms: Millis) -> Iterator[Receipt]:
    """A row of SmsReport; a text that was found after a crash is known by our own mark alone."""
    arrived, name, mark = row.get("success"), row.get("biz_id"), row.get("out_id")
    if isinstance(arrived, bool) and isinstance(name, str) and name:
        why = str(row.get("err_code") or "")
        yield receipt(NAME, name, delivered=arrived, at_ms=at_ms, reason=why)
        if isinstance(mark, str) and mark:
            yield receipt(NAME, f"out:{mark}", delivered=arrived, at_ms=at_ms, reason=why)


def _written(row: dict[str, Any], at_ms: Millis) -> Iterator[Reply]:
    """A row of SmsUp; its number may come as a number."""
    number, phone, text = row.get("sequence_id"), row.get("phone_number"), row.get("content")
    named = isinstance(number, str | int) and not isinstance(number, bool) and str(number)
    if named and isinstance(phone, str) and phone and isinstance(text, str):
        yield reply(NAME, str(number), phone, text, at_ms)


CHANNEL: Final = ChannelKind(
    name=NAME,
    settings=AliyunSettings,
    open=Aliyun,
    examine=lambda settings: examine(settings, "alibabacloud_dysmsapi20170525"),
    lint=lambda settings: lint(NAME, settings),
    hook=Hook(heard, {"code": 0, "msg": "成功"}),
)
