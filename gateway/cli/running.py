"""``cunjing demo`` and ``cunjing gateway``: the two that run the whole. They hand over and nothing else."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.ending import DEFAULT_CONFIG, Config, ends_with_a_sentence


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
    from gateway.demo.naming import NamesFault, names
    from gateway.files import close_to_others

    close_to_others()
    try:
        called = names(county, towns)
    except NamesFault as fault:
        raise typer.BadParameter(str(fault)) from None
    raise typer.Exit(performance.run(speed, seconds, data, port, called, browser=browser))


def gateway(config: Config = DEFAULT_CONFIG) -> None:
    """The production process. From the broker to the texts, until SIGTERM or Ctrl-C."""
    from alerts.channels import channels
    from alerts.policy import PolicyFault
    from gateway import settings
    from gateway.files import close_to_others
    from gateway.journal.database import JournalUnavailable
    from gateway.settings import SettingsFault

    close_to_others()
    with ends_with_a_sentence(SettingsFault, PolicyFault, JournalUnavailable):
        chosen = settings.load(config, channels())
        from gateway import app, logs, production

        production.refuse_a_demos(chosen)
        logs.configure()
        for remark in production.remarks(chosen):
            logs.logger(__name__).warning("remark", remark=remark)
        app.run(chosen)
