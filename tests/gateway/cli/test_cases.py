"""``ack``, ``reset`` and ``influx resend`` against the real HTTP API, with a loop that answers what the test says."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from alerts.conditions.thresholds import ThresholdScope
from gateway.client import control_token, token_file
from gateway.commands.command import Command, Done, NotDurable, NotPossible, UnknownPerson
from gateway.commands.episodes import EpisodeCommand, EpisodeVerb, UnknownEpisode
from gateway.commands.quarantine import Resend
from gateway.commands.thresholds import SetFigure
from gateway.desk.api import api
from gateway.desk.server import bind, serving
from gateway.health import Health
from gateway.inbox import Inbox
from gateway.metrics import Metrics
from gateway.settings import Endpoint
from tests.gateway.cli.installation import Cunjing, Installation

EPISODE = "over_two_thirds/ytan-03/20261122T004001Z"


@contextmanager
def gateway(installation: Installation, answer: Callable[[Any], object]) -> Iterator[list[Command[Any]]]:
    """A desk with the installation's token on a port of its own, and who answers behind it."""
    installation.journal_path.parent.mkdir()
    token = control_token(installation.journal_path)
    bound = bind(Endpoint("127.0.0.1", 0))
    installation.configure(port=bound.getsockname()[1])
    inbox: Inbox = Inbox()
    seen: list[Command[Any]] = []
    ended = threading.Event()

    def turn() -> None:
        while not ended.wait(0.005):
            for posted in inbox.take():
                seen.append(posted.item)
                posted.answer.resolve(answer(posted.item))

    thread = threading.Thread(target=turn)
    thread.start()
    try:
        with serving(api(inbox, Health((), lambda: 0.0), Metrics(), token), bound):
            yield seen
    finally:
        ended.set()
        thread.join()
        inbox.close()


def test_an_ack_reaches_the_loop_and_answers_what_is_durable(cunjing: Cunjing, installation: Installation) -> None:
    with gateway(installation, lambda _: Done(1_795_308_001_000, "acked")) as seen:
        said = cunjing(f"ack {EPISODE} --by cleaner-li --config gateway.toml")
    assert said.exit_code == 0, said.stderr
    assert seen == [
        EpisodeCommand(verb=EpisodeVerb.ACK, episode=EPISODE, by="cleaner-li", channel="cli", origin="127.0.0.1")
    ]
    assert json.loads(said.stdout) == {
        "at": "2026-11-22T00:40:01Z",
        "event": "acked",
        "episode": EPISODE,
        "by": "cleaner-li",
    }


def test_a_reset_reaches_the_loop(cunjing: Cunjing, installation: Installation) -> None:
    with gateway(installation, lambda _: Done(1_000, "reset")) as seen:
        said = cunjing("reset fire/ytan-03/1 --by dispatch-wu --config gateway.toml")
    assert said.exit_code == 0
    assert seen == [
        EpisodeCommand(
            verb=EpisodeVerb.RESET, episode="fire/ytan-03/1", by="dispatch-wu", channel="cli", origin="127.0.0.1"
        )
    ]


def test_what_did_not_take_effect_is_a_problem_in_the_gateways_words(
    cunjing: Cunjing, installation: Installation
) -> None:
    verdicts = {
        "unknown": (UnknownEpisode(), "there is no episode unknown"),
        "stranger": (UnknownPerson(), "the inventory has no person li"),
        "burning": (NotPossible("it still burns: 92 °C"), "it still burns: 92 °C"),
        "full": (NotDurable("the journal's disk is full"), "the journal's disk is full"),
    }
    with gateway(installation, lambda command: verdicts[getattr(command, "episode", "")][0]):
        for episode, (_, words) in verdicts.items():
            said = cunjing(f"reset {episode} --by li --config gateway.toml")
            assert (said.exit_code, said.stdout) == (1, "")
            assert words in said.stderr


def test_a_wrong_token_is_refused(cunjing: Cunjing, installation: Installation) -> None:
    with gateway(installation, lambda _: Done(1_000, "acked")) as seen:
        token_file(installation.journal_path).write_text("guessed\n", "ascii")
        said = cunjing(f"ack {EPISODE} --by cleaner-li --config gateway.toml")
    assert said.exit_code == 1
    assert "control.token" in said.stderr
    assert seen == []


def test_without_a_token_nobody_is_asked(cunjing: Cunjing, installation: Installation) -> None:
    with gateway(installation, lambda _: Done(1_000, "acked")) as seen:
        token_file(installation.journal_path).unlink()
        said = cunjing(f"ack {EPISODE} --by cleaner-li --config gateway.toml")
    assert said.exit_code == 1
    assert "ask as the user that runs the gateway" in said.stderr
    assert seen == []


def test_without_a_gateway_there_is_a_remedy(cunjing: Cunjing, installation: Installation) -> None:
    installation.journal_path.parent.mkdir()
    control_token(installation.journal_path)
    said = cunjing(f"ack {EPISODE} --by cleaner-li --config gateway.toml")
    assert said.exit_code == 1
    assert "no gateway answers at http://127.0.0.1:1" in said.stderr
    assert "start it, or check [desk] listen" in said.stderr


FIGURE = "figure over_two_thirds raise_pct 60 --by dispatch-wu --reason fair --config gateway.toml"


def test_a_figure_reaches_the_loop(cunjing: Cunjing, installation: Installation) -> None:
    with gateway(installation, lambda _: Done(1_795_308_001_000, "figure_set")) as seen:
        said = cunjing(f"{FIGURE} --area ytan")
        undone = cunjing(f"{FIGURE.replace('60', 'file')} --asset ytan-03")
        word = cunjing(f"{FIGURE.replace('raise_pct 60', 'severity P2')} --asset ytan-03")
    assert (said.exit_code, undone.exit_code, word.exit_code) == (0, 0, 0), said.stderr
    assert json.loads(said.stdout)["event"] == "figure_set"
    assert [(one.place, one.name, one.value) for one in seen if isinstance(one, SetFigure)] == [
        (ThresholdScope.AREA, "ytan", 60),
        (ThresholdScope.ASSET, "ytan-03", None),
        (ThresholdScope.ASSET, "ytan-03", "P2"),
    ]
    (first, *_) = seen
    assert isinstance(first, SetFigure)
    assert (first.by, first.reason, first.channel, first.origin) == ("dispatch-wu", "fair", "cli", "127.0.0.1")


def test_a_figure_wants_one_place(cunjing: Cunjing, installation: Installation) -> None:
    with gateway(installation, lambda _: Done(1_000, "figure_set")) as seen:
        said = [cunjing(FIGURE), cunjing(f"{FIGURE} --area ytan --asset ytan-03")]
    assert [one.exit_code for one in said] == [2, 2]
    assert "name one place: --area or --asset" in said[0].stderr
    assert seen == []


def test_a_figure_that_cannot_be_is_said_in_the_gateways_words(cunjing: Cunjing, installation: Installation) -> None:
    with gateway(installation, lambda _: NotPossible("it watches no bin; remove it")):
        said = cunjing(f"{FIGURE} --asset ytan-03")
    assert (said.exit_code, said.stderr) == (1, "it watches no bin; remove it\n")


def test_a_wish_to_send_again_reaches_the_loop(cunjing: Cunjing, installation: Installation) -> None:
    with gateway(installation, lambda _: Done(1_795_308_001_000, "resending")) as seen:
        said = cunjing("influx resend --from 2026-11-22T08:00:00+08:00 --config gateway.toml")
        whole = cunjing("influx resend --config gateway.toml")
    assert (said.exit_code, whole.exit_code) == (0, 0)
    assert seen == [Resend(1_795_305_600_000), Resend(0)]
    assert "series_behind" in said.stderr


def test_where_nothing_is_sent_the_reason_is_said(cunjing: Cunjing, installation: Installation) -> None:
    with gateway(installation, lambda _: NotPossible("the configuration has no [influxdb]")):
        said = cunjing("influx resend --config gateway.toml")
    assert (said.exit_code, said.stderr) == (1, "the configuration has no [influxdb]\n")
