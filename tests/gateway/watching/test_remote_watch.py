"""The watcher elsewhere: one alarm and one all-clear an outage, by ways that may fail, and a door that lets few in."""

import sys
import threading
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from alerts.calendars import Calendar
from alerts.notify import texts
from gateway import shipped
from gateway.cli import app
from gateway.clock import WallClock
from gateway.settings import Endpoint, SettingsFault
from gateway.watching import remote_watch
from gateway.watching.remote_watch import (
    AGAIN_S,
    GatewaySilence,
    Herald,
    Outpost,
    Patience,
    SilenceNotice,
    by_command,
    listening,
    load,
    polling,
)
from telemetry.inventory import CountySettings
from tests.gateway.watching.seconds import Seconds
from tests.servers import free_port

PATIENCE = Patience(600, 3_600, 3)
MORNING_MS = 1_795_312_800_000  # 2026-11-22 10:00 in Shanghai
CALENDAR = Calendar.of(CountySettings("xiang", "湘阳县", "Asia/Shanghai", "湘阳环卫"))


def said(signs: list[float], until_s: int, patience: Patience = PATIENCE) -> list[tuple[float, SilenceNotice]]:
    """What is said by a watcher that looks each second while signs of life come at those instants."""
    state, left = GatewaySilence(0.0), sorted(signs)
    found: list[tuple[float, SilenceNotice]] = []
    for now_s in map(float, range(1, until_s + 1)):
        if left and left[0] <= now_s:
            state, word = remote_watch.heard(state, left.pop(0))
        else:
            state, word = remote_watch.waited(state, now_s, patience)
        if word is not None:
            found.append((now_s, word))
    return found


def test_an_outage_is_one_alarm_some_repeats_and_one_all_clear() -> None:
    repeats = [(600 + n * 3_600.0, SilenceNotice.REPEAT) for n in (1, 2, 3)]
    assert said([30_000.0], 30_500) == [(600.0, SilenceNotice.ALARM), *repeats, (30_000.0, SilenceNotice.CLEAR)]


def test_a_gateway_that_beats_in_time_is_never_an_alarm() -> None:
    assert said([n * 599.0 for n in range(1, 20)], 19 * 599) == []


@given(st.lists(st.integers(1, 5_000).map(float), max_size=12))
def test_an_all_clear_follows_each_alarm_and_nothing_else(signs: list[float]) -> None:
    words = [word for _, word in said(signs, 6_000, Patience(60, 100, 2))]
    standing, repeats = False, 0
    for word in words:
        assert (word is SilenceNotice.ALARM) != standing
        repeats = repeats + 1 if word is SilenceNotice.REPEAT else 0 if word is SilenceNotice.ALARM else repeats
        assert repeats <= 2
        standing = word is not SilenceNotice.CLEAR


class Way:
    """Takes a word, or does not."""

    def __init__(self) -> None:
        self.takes = True
        self.tries = 0
        self.heard: list[tuple[SilenceNotice, str]] = []

    def __call__(self, word: SilenceNotice, text: str, now_ms: int) -> bool:
        assert now_ms == MORNING_MS
        self.tries += 1
        if self.takes:
            self.heard.append((word, text))
        return self.takes


class Still:
    def now_ms(self) -> int:
        return MORNING_MS

    def wait_s(self, until_ms: int) -> float:
        return max(0.0, (until_ms - MORNING_MS) / 1_000)


class Watched:
    """An outpost with two ways, whose seconds pass by hand."""

    def __init__(self, kept_in: Path | None = None) -> None:
        self.seconds = Seconds()
        self.ring, self.text = Way(), Way()
        policy_files = shipped.policy_files()
        catalogue = texts.load(policy_files.texts, policy_files.texts_name, "湘阳环卫")
        herald = Herald({"ring": self.ring, "text": self.text}, catalogue, CALENDAR)
        self.outpost = Outpost(PATIENCE, herald, Still(), self.seconds, kept_in)

    def pass_(self, seconds: int) -> None:
        for _ in range(seconds):
            self.seconds.now += 1
            self.outpost.look()


def test_both_words_go_by_every_way_in_the_words_of_the_catalogue() -> None:
    watched = Watched()
    watched.pass_(1_200)
    watched.outpost.beat()
    watched.pass_(10)
    for way in (watched.ring, watched.text):
        assert way.heard == [
            (
                SilenceNotice.ALARM,
                "【湘阳环卫】22日值班电脑10分钟没收到任何设备消息。请看电脑和网络，期间请按常规巡查。",
            ),
            (SilenceNotice.CLEAR, "【湘阳环卫】22日10:00值班电脑恢复正常，又收到设备消息了。"),
        ]


def test_a_way_that_does_not_take_it_is_tried_again_each_minute_and_the_other_does_not_wait() -> None:
    watched = Watched()
    watched.text.takes = False
    watched.pass_(600 + 5 * round(AGAIN_S))
    assert [word for word, _ in watched.ring.heard] == [SilenceNotice.ALARM]
    assert watched.text.tries == 6
    watched.text.takes = True
    watched.pass_(round(AGAIN_S))
    assert [word for word, _ in watched.text.heard] == [SilenceNotice.ALARM]


def test_nobody_hears_of_the_end_who_never_heard_of_the_beginning() -> None:
    watched = Watched()
    watched.text.takes = False
    watched.pass_(700)
    watched.text.takes = True
    watched.outpost.beat()
    watched.pass_(2)
    assert watched.text.heard == []
    assert [word for word, _ in watched.ring.heard] == [SilenceNotice.ALARM, SilenceNotice.CLEAR]


def test_a_restart_in_an_outage_tells_nobody_twice_and_its_end_once(tmp_path: Path) -> None:
    kept_in = tmp_path / "data" / "watch.json"
    before = Watched(kept_in)
    before.text.takes = False
    before.pass_(620)
    assert [word for word, _ in before.ring.heard] == [SilenceNotice.ALARM]
    again = Watched(kept_in)
    again.pass_(900)
    assert again.ring.heard == []
    assert [word for word, _ in again.text.heard] == [SilenceNotice.ALARM], "who had not heard of it hears of it now"
    last = Watched(kept_in)
    last.outpost.beat()
    last.pass_(2)
    assert [word for word, _ in (*last.ring.heard, *last.text.heard)] == [SilenceNotice.CLEAR, SilenceNotice.CLEAR]
    fresh = Watched(kept_in)
    fresh.outpost.beat()
    fresh.pass_(2)
    assert (fresh.ring.heard, fresh.text.heard) == ([], [])


@pytest.mark.parametrize("kept", [b"", b"{", b'{"said": "many"}', b"\xff\x00", b"[]"])
def test_a_notebook_that_is_none_costs_nothing_but_a_word(tmp_path: Path, kept: bytes) -> None:
    (tmp_path / "watch.json").write_bytes(kept)
    watched = Watched(tmp_path / "watch.json")
    watched.pass_(601)
    assert [word for word, _ in watched.ring.heard] == [SilenceNotice.ALARM]


def test_a_notebook_that_cannot_be_written_stops_no_watch(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "ascii")
    watched = Watched(tmp_path / "file" / "watch.json")
    watched.pass_(601)
    assert [word for word, _ in watched.ring.heard] == [SilenceNotice.ALARM]


def knocked(port: int, path: str = "/beat", bears: str = "Bearer hush", **more: str) -> int:
    with closing(HTTPConnection("127.0.0.1", port, timeout=120)) as asked:
        asked.request("POST", path, b"{}", {"Authorization": bears, **more})
        return asked.getresponse().status


def test_only_a_beat_with_the_token_is_a_sign_of_life() -> None:
    beats: list[int] = []
    with listening(Endpoint("127.0.0.1", 0), "hush", lambda: beats.append(1)) as port:
        assert knocked(port) == 204
        assert len(beats) == 1
        assert knocked(port, bears="Bearer guessed") == 401
        assert knocked(port, bears="") == 401
        assert knocked(port, "/") == 404
        assert knocked(port, **{"Content-Length": "99999999"}) == 413
        assert knocked(port, **{"Content-Length": "many"}) == 413
        assert len(beats) == 1
        assert knocked(port) == 204
    assert len(beats) == 2


def test_a_port_that_is_taken_is_said_in_a_sentence() -> None:
    with (
        listening(Endpoint("127.0.0.1", 0), "hush", lambda: None) as port,
        pytest.raises(SettingsFault, match=r"set another \[listen\] address"),
        listening(Endpoint("127.0.0.1", port), "hush", lambda: None),
    ):
        pass


def test_a_gateway_that_is_ready_is_a_sign_of_life() -> None:
    answers, beaten = iter([False, True]), threading.Event()
    with polling(lambda: next(answers, False), 0.01, beaten.set):
        assert beaten.wait(120)


def test_a_command_gets_the_word_and_the_text(tmp_path: Path) -> None:
    kept = tmp_path / "heard"
    script = f"import sys; open({str(kept)!r}, 'w').write('|'.join(sys.argv[1:]))"
    assert by_command([sys.executable, "-c", script])(SilenceNotice.ALARM, "值班电脑; rm -rf", WallClock().now_ms())
    assert kept.read_text("utf-8") == "alarm|值班电脑; rm -rf"
    assert not by_command([sys.executable, "-c", "raise SystemExit(3)"])(SilenceNotice.ALARM, "", 0)
    assert not by_command([str(tmp_path / "none")])(SilenceNotice.ALARM, "", 0)


GOOD = """
[listen]
token_file = "token"
[alarm]
to = ["13900000000"]
signature = "湘阳环卫"
[sms]
channel = "outbox"
outbox_folder = "outbox"
"""


def fault(folder: Path, text: str) -> str:
    (folder / "watch.toml").write_text(text, "utf-8")
    with pytest.raises(SettingsFault) as caught:
        load(folder / "watch.toml")
    return str(caught.value)


def test_a_wrong_configuration_is_said_with_its_remedy(tmp_path: Path) -> None:
    assert "it hears nothing; add [listen], [poll] or both" in fault(tmp_path, "[alarm]\ncommand = ['true']")
    assert "reaches nobody; give a command" in fault(tmp_path, "[listen]\ntoken_file = 'x'\n[alarm]")
    assert "needs a signature" in fault(tmp_path, "[listen]\ntoken_file = 'x'\n[alarm]\nto = ['13900000000']")
    assert 'did you mean "after_min"' in fault(tmp_path, GOOD.replace("[sms]", "aftermin = 5\n[sms]"))
    assert "[alarm] is missing" in fault(tmp_path, "[listen]\ntoken_file = 'x'")
    assert "not valid TOML" in fault(tmp_path, "[listen")
    with pytest.raises(SettingsFault, match=r"copy config/watch\.example\.toml there"):
        load(tmp_path / "none.toml")


def test_the_example_loads() -> None:
    chosen = load(shipped.config_folder() / "watch.example.toml")
    assert chosen.alarm.after_min == 10
    assert chosen.listen is not None


def test_the_test_says_both_words_by_every_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "watch.toml").write_text(GOOD.replace("8090", str(free_port())), "utf-8")
    done = CliRunner().invoke(app, ["watch", "--config", "watch.toml", "--test"])
    assert (done.exit_code, done.stdout) == (0, "every way took both words\n")
    sent = sorted(path.read_text("utf-8") for path in (tmp_path / "outbox").glob("*.json"))
    assert len(sent) == 2
    assert any("没收到任何设备消息" in text for text in sent)
    (tmp_path / "watch.toml").write_text(GOOD.replace("to =", "command = ['false']\nto ="), "utf-8")
    done = CliRunner().invoke(app, ["watch", "--config", "watch.toml", "--test"])
    assert (done.exit_code, done.stdout) == (1, "command did not take it\n")
