"""``cunjing demo``, ``gateway``, ``simulate`` and ``watch``: what runs until it is stopped.

The county played, the real one, devices alone, and the other machine that says when the gateway has fallen silent. They
hand over and nothing else. What the simulated county does is ``firmware_sim``'s.
"""

from contextlib import ExitStack
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gateway.cli.ending import (
    DEFAULT_CONFIG,
    Code,
    Config,
    ends_with_a_sentence,
    load_settings,
    print_lines,
    say,
    until_stopped,
)

if TYPE_CHECKING:
    from firmware_sim.publish import Broker
    from firmware_sim.scenario import Scenario
    from gateway.watching.remote_watch import Herald, WatchFile


_DEFAULT_WATCH: Final = Path("config/watch.toml")
_WatchConfig = Annotated[Path, typer.Option("--config", metavar="FILE", help="The watcher's own configuration.")]
_Test = Annotated[bool, typer.Option("--test", help="Say the alarm and the all-clear once, and end.")]


def demo(
    *,
    speed: Annotated[float, typer.Option(min=1, max=10_000, help="How many times faster than the world.")] = 300,
    seconds: Annotated[float | None, typer.Option(min=0, help="End after so many real seconds.")] = None,
    data: Annotated[Path | None, typer.Option(metavar="DIR", help="Keep journal and outbox here.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Where the desk listens; 0 takes a free one.")] = 8080,
    browser: Annotated[bool, typer.Option(help="Open the desk in a browser.")] = True,
    county: Annotated[str | None, typer.Option(help="What the county is called, in Chinese.")] = None,
    towns: Annotated[str | None, typer.Option(metavar="A,B", help="What its towns are called, up to four.")] = None,
) -> None:
    """A simulated county in this terminal. With its own broker; texts go to DIR/outbox and nowhere else."""
    from gateway import demo as performance
    from gateway.demo.stage import NamesFault, names
    from gateway.files import close_to_others

    close_to_others()
    try:
        called = names(county, towns)
    except NamesFault as fault:
        raise typer.BadParameter(str(fault)) from None
    raise typer.Exit(performance.run(speed, seconds, data, port, called, browser=browser))


def gateway(config: Config = DEFAULT_CONFIG) -> None:
    """The production process. From the broker to the texts, until SIGTERM or Ctrl-C."""
    from alerts.policy import PolicyFault
    from gateway.files import close_to_others
    from gateway.journal.database import JournalUnavailable

    close_to_others()
    with ends_with_a_sentence(PolicyFault, JournalUnavailable):
        chosen = load_settings(config)
        from gateway import app, logs, production

        production.refuse_a_demos(chosen)
        logs.configure()
        for remark in production.remarks(chosen):
            logs.logger(__name__).warning("remark", remark=remark)
        app.run(chosen)


def simulate(
    *,
    broker: Annotated[str, typer.Option(metavar="URL", help="mqtt://host:1883")],
    scenario: Annotated[str, typer.Option(metavar="FILE|NAME", help="A scenario file, or the name of a shipped one.")],
    speed: Annotated[float, typer.Option(min=0.001, max=10_000, help="How many times faster the county lives.")] = 1,
    username: Annotated[str | None, typer.Option(help="Who we are to the broker.")] = None,
    password_file: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, metavar="FILE")] = None,
    write_inventory: Annotated[
        Path | None, typer.Option(dir_okay=False, metavar="FILE", help="Write the county's inventory here first.")
    ] = None,
    mqtt: Annotated[str, typer.Option(metavar="5|3.1.1", help="The MQTT version to speak.")] = "5",
) -> None:
    """The simulated county, against any broker. It lives from now on, by the wall clock at any speed."""
    from firmware_sim import traces
    from firmware_sim.county import inventory_yaml
    from firmware_sim.publish import BrokerError, publish
    from firmware_sim.scenario import ScenarioError, at_start
    from gateway.clock import WallClock

    if mqtt not in ("5", "3.1.1"):
        raise typer.BadParameter("it is 5 or 3.1.1", param_hint="--mqtt")
    clock = WallClock()
    with ends_with_a_sentence(ScenarioError, BrokerError, OSError), until_stopped() as stop:
        where = _broker(broker, username, password_file)
        story = at_start(_scenario(scenario), clock.now_ms())
        if write_inventory is not None:
            write_inventory.write_text(inventory_yaml(story), "utf-8")
        say(f"{scenario} is played to {broker}, {speed:g}× as fast as the world; Ctrl-C ends it")
        uplinks, online = traces.trace(story, speed), traces.statuses(story)
        told = publish(uplinks, where, stop, clock.now_ms, statuses=online, mqtt5=mqtt == "5")
    say(f"{told.sent} uplinks sent, {told.acknowledged} of them acknowledged")
    raise typer.Exit(Code.OK if told.sent == told.acknowledged else Code.PROBLEMS)


def _broker(url: str, username: str | None, password_file: Path | None) -> "Broker":
    from firmware_sim.publish import Broker
    from gateway.settings import read_secret

    try:
        at = Broker.at(url)
    except ValueError as fault:
        raise typer.BadParameter(str(fault), param_hint="--broker") from None
    password = at.password if password_file is None else read_secret(password_file, "--password-file")
    return replace(at, username=username or at.username, password=password)


def _scenario(named: str) -> "Scenario":
    from firmware_sim.scenario import load
    from gateway.files import read_text

    if Path(named).is_file():
        return load(read_text(Path(named)))
    shipped = {
        found.name.removesuffix(".yaml"): found
        for found in files("firmware_sim").joinpath("scenarios").iterdir()
        if found.name.endswith(".yaml")
    }
    if named not in shipped:
        known = ", ".join(sorted(shipped))
        raise typer.BadParameter(f"there is no file {named!r}; shipped are: {known}", param_hint="--scenario")
    return load(shipped[named].read_text("utf-8"))


def watch(config: _WatchConfig = _DEFAULT_WATCH, *, test: _Test = False) -> None:
    """Run on another machine: says when the gateway falls silent, and when it is back. Until SIGTERM or Ctrl-C."""
    from alerts.policy import PolicyFault
    from gateway import logs, settings
    from gateway.client import is_ready
    from gateway.clock import WallClock, monotonic_s
    from gateway.watching import remote_watch
    from gateway.watching.remote_watch import Outpost, Patience, listening, polling

    with ends_with_a_sentence(PolicyFault), ExitStack() as stack:
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
    policy_files = shipped.policy_files()
    return Herald(ways, texts.load(policy_files.texts, policy_files.texts_name, alarm.signature), Calendar(zone, {}))


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
