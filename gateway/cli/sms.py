"""``cunjing sms test``: one text to one person by the channels that are configured, past the gateway and its journal.

What it sends counts nowhere and is owed to nobody; it only shows whether a text arrives, and by which channel.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.ending import (
    DEFAULT_CONFIG,
    Code,
    Config,
    county_of,
    ends_with_a_sentence,
    load_settings,
    print_lines,
    say,
    until_stopped,
)

if TYPE_CHECKING:
    from alerts.channels import Accepted, Channel, Message
    from gateway.settings import Settings

_Person = Annotated[str, typer.Argument(metavar="PERSON", help="An id of the inventory.")]
_LOOK_EVERY_S = 1.0


def test(
    person: _Person,
    *,
    seconds: Annotated[int, typer.Option(min=0, max=3_600, help="Wait so long for the receipt.")] = 60,  # noqa: PT028 -- the command is called so
    config: Config = DEFAULT_CONFIG,  # noqa: PT028 -- the same
) -> None:
    """One text to a person, by the first channel that takes it. Says by which, and whether it arrived."""
    from alerts.channels import Accepted
    from alerts.policy import PolicyFault
    from gateway import lines
    from gateway.journal.database import JournalUnavailable

    with ends_with_a_sentence(PolicyFault, JournalUnavailable):
        chosen = load_settings(config)
        opened = lines.opened(chosen)
        message = _message(person, chosen)
    for name in opened.routes.text:
        outcome = opened.channels[name].send(message)
        if isinstance(outcome, Accepted):
            print_lines([f"accepted by {name} as {outcome.reference}"], at_once=True)
            raise typer.Exit(_awaited(name, opened.channels[name], message, outcome, seconds))
        say(f"{name} did not take it: {outcome.reason}")
    say("no channel took it; cunjing doctor says what each of them lacks")
    raise typer.Exit(Code.PROBLEMS)


def _message(person: str, chosen: "Settings") -> "Message":
    from alerts import build
    from alerts.calendars import Calendar, iso
    from alerts.channels import Message
    from alerts.notify.texts import clock, day
    from gateway import shipped
    from gateway.clock import WallClock
    from gateway.settings import SettingsFault

    inventory = county_of(chosen)
    county, _ = build.assemble(inventory, shipped.policy_files(chosen.alerts))
    known = inventory.people.get(person)
    if known is None:
        raise SettingsFault([f"the inventory has no person {person!r}; see people in {chosen.inventory.path}"])
    now_ms, calendar = WallClock().now_ms(), Calendar.of(inventory.county)
    facts = {"person": known.name, "day": day(calendar, now_ms), "time": clock(calendar, now_ms)}
    said = county.message_writer.texts.word("sms_test", facts)
    key, phone = f"sms_test@{person}#{now_ms}", inventory.phone_of[person]
    return Message(key, "", person, phone, said.text, iso(now_ms), "P3", said.template, said.variables)


def _awaited(name: str, channel: "Channel", message: "Message", taken: "Accepted", seconds: int) -> Code:
    from alerts.channels import Awaited, Reporting, Unreachable
    from gateway.clock import WallClock, monotonic_s

    if taken.delivered:
        print_lines([f"delivered by {name}"])
        return Code.OK
    if not taken.receipted or not isinstance(channel, Reporting):
        print_lines([f"{name} gives no receipts: ask whether it arrived"])
        return Code.OK
    clock = WallClock()
    awaited, ends_s = [Awaited(taken.reference, message.phone, clock.now_ms())], monotonic_s() + seconds
    with until_stopped() as stop:
        while not stop.is_set():
            try:
                receipts = channel.collect(awaited, clock.now_ms()).receipts
            except Unreachable as trouble:
                say(f"{name} cannot be asked now: {trouble}")
                receipts = ()
            for receipt in receipts:
                print_lines([f"delivered by {name}" if receipt.delivered else f"not delivered: {receipt.reason}"])
                return Code.OK if receipt.delivered else Code.PROBLEMS
            if monotonic_s() >= ends_s:
                break
            stop.wait(_LOOK_EVERY_S)
    print_lines([f"no receipt came within {seconds} s; it may still arrive"])
    return Code.PROBLEMS
