"""The ways out that a configuration opens: which channels, in which order, with what caps.

Only opening and examining; what is sent on them is the courier's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import ascii_letters, digits
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, ValidationError

from alerts.channels import Caps, Channel, ChannelKind, Hook, channels
from alerts.delivery.delivery import Routes
from gateway.health import Part
from gateway.settings import Settings, SettingsFault, Sms, read_secret, tell_why

SECRET_LEAST: Final = 20
_IN_A_PATH: Final = frozenset(ascii_letters + digits + "-_")


class Pushed(NamedTuple):
    """What one provider pushes, and the secret that it bears."""

    hook: Hook
    secret: str


@dataclass(frozen=True, slots=True)
class Lines:
    """Open channels by name, and how they are used."""

    channels: Mapping[str, Channel]
    routes: Routes
    caps: Mapping[str, Caps]
    hooks: Mapping[str, Pushed]
    """By the channel's name, what its provider tells by itself."""

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
    """What a configuration says of channels: its ``[sms]``, its ``[channels.NAME]`` and its ``[hooks]``."""

    sms: Sms
    channels: Mapping[str, Mapping[str, Any]]
    hooks: Mapping[str, Path] = MappingProxyType({})


def opened(settings: Settings | Ways) -> Lines:
    """Opens every channel that is named; ``SettingsFault`` with a sentence for each that cannot be."""
    found = chosen(settings)
    faults = [fault for each in found for fault in _linted(each)]
    if faults:
        raise SettingsFault(faults)
    hooks = _hooks(settings, found)
    ways = {each.kind.name: _open(each) for each in found}
    text = tuple(each.kind.name for each in found if not each.kind.speaks)
    voice = tuple(each.kind.name for each in found if each.kind.speaks)
    caps = {each.kind.name: getattr(each.own, "caps", Caps()) for each in found}
    return Lines(ways, Routes(text, voice), caps, hooks)


def _hooks(settings: Settings | Ways, found: tuple[Chosen, ...]) -> dict[str, Pushed]:
    """Who may push; ``SettingsFault`` for a channel that nobody pushes to, or a secret that can be guessed."""
    kinds = {each.kind.name: each.kind for each in found}
    made, faults = {}, []
    for name, path in settings.hooks.items():
        hook = kinds[name].hook if name in kinds else None
        if hook is None:
            known = ", ".join(sorted(kind.name for kind in kinds.values() if kind.hook)) or "none"
            faults.append(f"[hooks] {name}: no channel of [sms] by that name is pushed to; known are: {known}")
            continue
        secret = read_secret(path, f"[hooks] {name}")
        if len(secret) < SECRET_LEAST or not set(secret) <= _IN_A_PATH:
            faults.append(
                f"[hooks] {name} = {str(path)!r}: a secret has at least {SECRET_LEAST} letters, digits, - and _;"
                " make one with: openssl rand -hex 24"
            )
        made[name] = Pushed(hook, secret)
    if faults:
        raise SettingsFault(faults)
    return made


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
    try:
        _hooks(settings, found)
    except SettingsFault as fault:
        yield from (Part(ready=False, state=sentence) for sentence in fault.faults)
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
        why = tell_why(error)
        raise SettingsFault([f"[channels.{name}]: {error.filename} cannot be read: {why}; mend the file"]) from None
    return way


def _own(settings: Settings | Ways, name: str) -> dict[str, Any]:
    """A channel's own keys: its table, and for the first one what stands in ``[sms]``."""
    beside = settings.sms.own if name == settings.sms.channel else {}
    return {**beside, **settings.channels.get(name, {})}


def _linted(each: Chosen) -> tuple[str, ...]:
    return () if each.kind.lint is None else each.kind.lint(each.own)
