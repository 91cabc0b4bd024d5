"""The ways out that a configuration opens: which channels, in which order, with what caps.

Only opening and examining; what is sent on them is the courier's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from alerts.channels import Caps, Channel, ChannelKind, channels
from alerts.delivery import Routes
from gateway.health import Part
from gateway.settings import Settings, Sms
from gateway.settings_faults import SettingsFault


@dataclass(frozen=True, slots=True)
class Lines:
    """Open channels by name, and how they are used."""

    channels: Mapping[str, Channel]
    routes: Routes
    caps: Mapping[str, Caps]

    @property
    def calls(self) -> bool:
        """Whether anybody can be called."""
        return bool(self.routes.voice)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A channel that the configuration names, with its own settings checked."""

    kind: ChannelKind
    own: BaseModel


class Ways(NamedTuple):
    """What a configuration says of channels: its ``[sms]`` and its ``[channels.NAME]``."""

    sms: Sms
    channels: Mapping[str, Mapping[str, Any]]


def opened(settings: Settings | Ways) -> Lines:
    """Opens every channel that is named; ``SettingsFault`` with a sentence for each that cannot be."""
    found = chosen(settings)
    faults = [fault for each in found for fault in _linted(each)]
    if faults:
        raise SettingsFault(faults)
    ways = {each.kind.name: _open(each) for each in found}
    text = tuple(each.kind.name for each in found if not each.kind.speaks)
    voice = tuple(each.kind.name for each in found if each.kind.speaks)
    caps = {each.kind.name: getattr(each.own, "caps", Caps()) for each in found}
    return Lines(ways, Routes(text, voice), caps)


def chosen(settings: Settings | Ways) -> tuple[Chosen, ...]:
    """The channels in their order, with settings that fit; ``SettingsFault`` otherwise."""
    known, faults, found = channels(), [], []
    for name in settings.sms.names:
        kind = known[name]
        try:
            found.append(Chosen(kind, kind.settings.model_validate(_own(settings, name))))
        except ValidationError as error:
            table = "sms" if name == settings.sms.channel and name not in settings.channels else f"channels.{name}"
            faults += [f"[{table}] {'.'.join(map(str, each['loc']))}: {each['msg'].lower()}" for each in error.errors()]
    wrong = [each.kind.name for each in found if each.kind.speaks != (each.kind.name in settings.sms.voice)]
    faults += [f"[sms]: channel {name} belongs under {'voice' if known[name].speaks else 'then'}" for name in wrong]
    if faults:
        raise SettingsFault(faults)
    return tuple(found)


def examined(settings: Settings) -> Iterator[Part]:
    """Each channel and whether it can be used on this machine."""
    try:
        found = chosen(settings)
    except SettingsFault as fault:
        for sentence in fault.faults:
            yield Part(ready=False, state=sentence, remedy="see gateway.example.toml for what a channel knows")
        return
    for each in found:
        yield from (Part(ready=False, state=sentence) for sentence in _linted(each))
        if each.kind.examine is not None:
            usable, state, remedy = each.kind.examine(each.own)
            yield Part(ready=usable, state=f"channel {each.kind.name}: {state}", remedy=remedy)


def _open(each: Chosen) -> Channel:
    name = each.kind.name
    try:
        way: Channel = each.kind.open(each.own)
    except ModuleNotFoundError:
        extra = name.partition("_")[0]
        remedy = f"install the extra: pip install 'cunjing[{extra}]'"
        raise SettingsFault([f"[sms] names channel {name}, whose library is not installed; {remedy}"]) from None
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise SettingsFault([f"[channels.{name}]: {error.filename} cannot be read: {why}; mend the file"]) from None
    return way


def _own(settings: Settings | Ways, name: str) -> dict[str, Any]:
    """A channel's own keys: its table, and for the first one what stands in ``[sms]``."""
    beside = settings.sms.own if name == settings.sms.channel else {}
    return {**beside, **settings.channels.get(name, {})}


def _linted(each: Chosen) -> tuple[str, ...]:
    return () if each.kind.lint is None else each.kind.lint(each.own)
