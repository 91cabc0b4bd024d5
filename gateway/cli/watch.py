"""``cunjing watch``: run on another machine, it says when the gateway has fallen silent, and when it is back."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gateway.cli.ending import Code, ends_with_a_sentence, print_lines, until_stopped

if TYPE_CHECKING:
    from gateway.watching.remote_watch import Herald, WatchFile

DEFAULT: Final = Path("config/watch.toml")
_Config = Annotated[Path, typer.Option("--config", metavar="FILE", help="The watcher's own configuration.")]
_Test = Annotated[bool, typer.Option("--test", help="Say the alarm and the all-clear once, and end.")]


def watch(config: _Config = DEFAULT, *, test: _Test = False) -> None:
    """Run on another machine: says when the gateway falls silent, and when it is back. Until SIGTERM or Ctrl-C."""
    from alerts.policy import PolicyFault
    from gateway import logs, settings
    from gateway.client import is_ready
    from gateway.clock import WallClock, monotonic_s
    from gateway.settings import SettingsFault
    from gateway.watching import remote_watch
    from gateway.watching.remote_watch import Outpost, Patience, listening, polling

    with ends_with_a_sentence(SettingsFault, PolicyFault), ExitStack() as stack:
        logs.configure()
        chosen = remote_watch.load(config)
        herald = _herald(chosen)
        if test:
            raise typer.Exit(_tested(herald))
        alarm = chosen.alarm
        patience = Patience(alarm.after_min * 60, alarm.repeat_min * 60, alarm.repeats)
        outpost = Outpost(patience, herald, WallClock(), monotonic_s, alarm.notebook)
        if chosen.listen is not None:
            token = settings.read_secret(chosen.listen.token_file, "[listen] token_file")
            port = stack.enter_context(listening(chosen.listen.address, token, outpost.beat))
            print_lines([f"hears heartbeats on {chosen.listen.address.host}:{port}/beat"], at_once=True)
        if chosen.poll is not None:
            url = chosen.poll.url
            stack.enter_context(polling(lambda: is_ready(url), chosen.poll.every_s, outpost.beat))
            print_lines([f"asks {url} every {chosen.poll.every_s:g} s"], at_once=True)
        outpost.run(stack.enter_context(until_stopped()))


def _herald(chosen: "WatchFile") -> "Herald":
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from alerts.calendars import Calendar
    from alerts.notify import texts
    from gateway import lines, shipped
    from gateway.settings import SettingsFault
    from gateway.watching.remote_watch import Herald, Way, by_command, by_text

    alarm = chosen.alarm
    try:
        zone = ZoneInfo(alarm.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        raise SettingsFault([f"[alarm] timezone = {alarm.timezone!r}: there is no such zone"]) from None
    ways: dict[str, Way] = {}
    if alarm.command:
        ways["command"] = by_command(alarm.command)
    if alarm.to and chosen.sms is not None:
        opened = lines.opened(lines.Ways(chosen.sms, chosen.channels))
        named = {name: opened.channels[name] for name in opened.routes.text}
        ways |= {phone: by_text(named, phone) for phone in alarm.to}
    figures = shipped.figures()
    return Herald(ways, texts.load(figures.texts, figures.texts_name, alarm.signature), Calendar(zone, {}))


def _tested(herald: "Herald") -> Code:
    """Both words by every way, now; wrong where one was not taken."""
    from gateway.clock import WallClock
    from gateway.watching.remote_watch import SilenceNotice

    at_ms = WallClock().now_ms()
    failed: list[str] = []
    for word in (SilenceNotice.ALARM, SilenceNotice.CLEAR):
        herald.announce(word, 0.0)
        herald.speak(0.0, at_ms, 600.0)
        failed += herald.pending
    print_lines([f"{name} did not take it" for name in dict.fromkeys(failed)] or ["every way took both words"])
    return Code.PROBLEMS if failed else Code.OK
