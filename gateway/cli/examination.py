"""``cunjing doctor``: every part with its state and what to do about it. What is asked is in ``gateway/doctor.py``."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from gateway.cli.ending import DEFAULT_CONFIG, Code, Config, ends_with_a_sentence, print_lines

if TYPE_CHECKING:
    from gateway.doctor import Finding


def doctor(config: Config = DEFAULT_CONFIG) -> None:
    """Each part with its state and remedy. Broker, journal, texts, inventory, clock, disk; it changes nothing."""
    from alerts.channels import channels
    from gateway import settings
    from gateway.clock import WallClock
    from gateway.doctor import examined
    from gateway.settings import SettingsFault

    with ends_with_a_sentence(SettingsFault):
        chosen = settings.load(config, channels())
    is_well = True
    for finding in examined(chosen, WallClock().now_ms()):
        is_well = is_well and finding.part.ready
        print_lines(_shown(finding), at_once=True)
    raise typer.Exit(Code.OK if is_well else Code.PROBLEMS)


def _shown(finding: "Finding") -> Iterator[str]:
    part = finding.part
    said = f"{part.state}; {part.remedy}" if part.remedy else part.state
    yield f"{'ok' if part.ready else 'PROBLEM':8} {finding.name:10} {said}"
    yield from (f"{'':8} {'':10} note: {note}" for note in part.notes)
