"""``cunjing boards``: the boards as files, checked, and put into Grafana. What is on them is in ``dashboards/``."""

import json
import logging
import threading
from pathlib import Path
from typing import Annotated

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
)

_OUTLINE = "cunjing.geojson"


def write(
    *,
    config: Config = DEFAULT_CONFIG,
    to: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write them filled in for this installation, with its outline."),
    ] = None,
) -> None:
    """Make the boards' JSON anew in the source tree; or with --to as files for Grafana's own provisioning."""
    if to is None:
        _needs_the_sdk()
        from dashboards import checking, committed

        for name in committed.write(checking.made()):
            print_lines([f"made {name}.json"], at_once=True)
        return
    from dashboards import committed
    from dashboards.outline import outline as drawn
    from gateway import boards, logs
    from gateway.journal.database import JournalUnavailable

    logs.configure(level=logging.ERROR)
    with ends_with_a_sentence(JournalUnavailable):
        chosen = load_settings(config)
        here = boards.installation(chosen)
        made = {name: here.filled(board) for name, board in committed.documents().items()}
        county = county_of(chosen)
    files = {f"{name}.json": json.dumps(board, ensure_ascii=False, indent=2) for name, board in made.items()}
    files[_OUTLINE] = json.dumps(drawn(county), ensure_ascii=False)
    try:
        to.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (to / name).write_text(f"{text}\n", "utf-8")
    except OSError as error:
        say(f"{to} cannot be written: {(error.strerror or str(error)).lower()}; name another folder with --to")
        raise typer.Exit(Code.PROBLEMS) from None
    print_lines(f"made {to / name}" for name in files)


def check() -> None:
    """Whether the committed boards are what their source makes, fit the classic schema and our own rules."""
    _needs_the_sdk()
    from dashboards import checking

    found = list(checking.differences())
    print_lines(found)
    raise typer.Exit(Code.PROBLEMS if found else Code.OK)


def outline(config: Config = DEFAULT_CONFIG) -> None:
    """The county's villages and towns as GeoJSON, for the map: mount it as public/maps/cunjing.geojson of Grafana."""
    from dashboards.outline import outline as drawn
    from gateway import logs
    from gateway.journal.database import JournalUnavailable

    logs.configure(level=logging.ERROR)
    with ends_with_a_sentence(JournalUnavailable):
        county = county_of(load_settings(config))
    print_lines([json.dumps(drawn(county), ensure_ascii=False)])


def push(
    *,
    config: Config = DEFAULT_CONFIG,
    force: Annotated[bool, typer.Option("--force", help="Overwrite boards that were edited by hand.")] = False,
) -> None:
    """Put folder, data sources, boards and the episodes on them into Grafana. As often as you like."""
    from contextlib import closing

    from dashboards import push as pushing
    from gateway import boards, logs
    from gateway.clock import WallClock
    from gateway.journal.database import JournalUnavailable, Problem
    from gateway.journal.reader import JournalReader

    logs.configure(level=logging.ERROR)
    is_well = True

    def tell(step: pushing.PushStep) -> None:
        nonlocal is_well
        is_well = is_well and step.is_well
        print_lines([f"{'made' if step.changed else 'ok' if step.is_well else 'PROBLEM':8} {step.said}"], at_once=True)

    with ends_with_a_sentence(pushing.GrafanaUnserved, JournalUnavailable):
        chosen = load_settings(config)
        grafana = pushing.Grafana(boards.entrance(chosen))
        for step in pushing.pushed(grafana, boards.installation(chosen), threading.Event().wait, force=force):
            tell(step)
        county, now_ms = county_of(chosen), WallClock().now_ms()
        try:
            with closing(JournalReader.open(chosen.journal.path)) as reader:
                tell(pushing.sync_annotations(grafana, boards.episodes(reader, county, now_ms), now_ms))
        except JournalUnavailable as trouble:
            if trouble.problem is not Problem.MISSING:
                raise
            tell(pushing.PushStep(changed=False, said="there is no journal yet, so no episode to show"))
    raise typer.Exit(Code.OK if is_well else Code.PROBLEMS)


def _needs_the_sdk() -> None:
    """What builds boards is a tool of development; who runs the county has the built ones."""
    from importlib.util import find_spec

    if find_spec("grafana_foundation_sdk") is None:
        say("this needs the tools of development, which are not installed; run it in a clone after `make setup`")
        raise typer.Exit(Code.PROBLEMS)
