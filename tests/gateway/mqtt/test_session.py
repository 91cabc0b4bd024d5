"""The session's decisions, over a link made of paper: when it dials, what it subscribes, which acks are still sent."""

import socket
import threading
from collections.abc import Iterator, Sequence

import pytest

from gateway.mqtt.link import Greeting, SessionPhase, Version
from gateway.mqtt.readahead import Arrivals
from gateway.mqtt.session import GREETED_WITHIN_S, KEEPALIVE_S, Session
from gateway.settings import Mqtt

WELCOME_BACK = Greeting(0, "Success", session_present=True)
WELCOME = Greeting(0, "Success", session_present=False)
URL = "mqtt://127.0.0.1:1883"


class PaperLink:
    """Answers CONNECT and SUBSCRIBE with what it was made with; brings what is put into ``incoming``."""

    def __init__(
        self, greeting: Greeting | None, granted: tuple[int, ...] = (1, 1), failure: OSError | None = None
    ) -> None:
        self.greeting, self._grants, self._failure = greeting, granted, failure
        self.granted: tuple[int, ...] | None = None
        self.broker_version: str | None = None
        self.closed: str | None = None
        self.closed_code: int | None = None
        self.pings = 0
        self.incoming: list[tuple[bytes, int]] = []
        self.acknowledged: list[int] = []
        self.subscriptions: list[tuple[str, ...]] = []
        self.unsubscriptions: list[tuple[str, ...]] = []
        self.left = self.wants_write = False
        self._near, self._far = socket.socketpair()
        self.open = True

    def dial(self) -> None:
        if self._failure:
            raise self._failure

    def fileno(self) -> int | None:
        return self._near.fileno() if self.open else None

    def read(self, arrivals: Arrivals) -> None:
        self._near.recv(1)
        for payload, mid in self.incoming:
            arrivals.add(b"t", payload, mid)

    def acknowledge(self, mids: Sequence[int]) -> None:
        self.acknowledged += mids

    def write(self) -> None: ...

    def ping(self) -> None:
        self.pings += 1

    def subscribe(self, filters: Sequence[str]) -> None:
        self.subscriptions.append(tuple(filters))
        self.granted = self._grants

    def unsubscribe(self, filters: Sequence[str]) -> None:
        self.unsubscriptions.append(tuple(filters))

    def ask_version(self) -> None: ...

    def close(self) -> None:
        self.open = False
        self._near.close()
        self._far.close()

    def bring(self, *messages: tuple[bytes, int]) -> None:
        self.incoming = list(messages)
        self._far.send(b"x")

    def break_off(self, why: str, code: int | None = None) -> None:
        self.open, self.closed, self.closed_code = False, why, code


class Rim:
    """A session whose links, clock and memory the test holds."""

    def __init__(self, *links: PaperLink, topics: tuple[str, ...] = ("a/+", "b/#"), protocol: str = "auto") -> None:
        self.links, self.versions = list(links), list[Version]()
        self.at_s = 0.0
        self.draws: list[float] = []
        self.filters: frozenset[str] = frozenset()
        settings = Mqtt.model_validate({"url": URL, "username": "gateway", "topics": topics, "protocol": protocol})
        self.session = Session(
            settings,
            self,
            open_link=self._open,
            now_ms=lambda: 1_000,
            monotonic=lambda: self.at_s,
            draw=self._draw,
        )

    def remembered_filters(self) -> frozenset[str]:
        return self.filters

    def remember_filters(self, filters: frozenset[str]) -> None:
        self.filters = filters

    def _open(self, version: Version) -> PaperLink:
        self.versions.append(version)
        return self.links[len(self.versions) - 1]

    def _draw(self, low: float, high: float) -> float:
        assert low == 0.0
        self.draws.append(high)
        return high

    def until(self, phase: SessionPhase) -> Session:
        """Lets the dialling thread finish; bounded by ``poll``, which it wakes."""
        for _ in range(20):
            self.session.wait(1.0 if self.session.state.phase is SessionPhase.DIALLING else 0.0)
            if self.session.state.phase is phase:
                return self.session
        raise AssertionError(self.session.state)

    def until_failed(self, times: int) -> None:
        """Until so many connections have failed."""
        for _ in range(20):
            if len(self.draws) == times:
                return
            self.session.wait(1.0 if self.session.state.phase is SessionPhase.DIALLING else 0.0)
        raise AssertionError(self.session.state)


@pytest.fixture
def rims() -> Iterator[list[Rim]]:
    opened: list[Rim] = []
    yield opened
    for rim in opened:
        rim.session.stop()
        for link in rim.links:
            link.close()


def opened(rims: list[Rim], rim: Rim) -> Rim:
    rims.append(rim)
    return rim


def test_a_new_session_is_subscribed_and_the_filters_remembered(rims: list[Rim]) -> None:
    rim = opened(rims, Rim(link := PaperLink(WELCOME)))
    rim.until(SessionPhase.LIVE)
    assert link.subscriptions == [("a/+", "b/#")]
    assert rim.filters == {"a/+", "b/#"}
    assert rim.session.state.part.ready
    assert rim.session.state.sessions_lost == 0


def test_a_session_that_still_stands_is_not_subscribed_again(rims: list[Rim]) -> None:
    rim = opened(rims, Rim(link := PaperLink(WELCOME_BACK)))
    rim.filters = frozenset({"a/+", "b/#"})
    rim.until(SessionPhase.LIVE)
    assert link.subscriptions == []


def test_changed_filters_are_subscribed_and_the_old_ones_left(rims: list[Rim]) -> None:
    rim = opened(rims, Rim(link := PaperLink(WELCOME_BACK)))
    rim.filters = frozenset({"a/+", "old"})
    rim.until(SessionPhase.LIVE)
    assert (link.subscriptions, link.unsubscriptions) == ([("a/+", "b/#")], [("old",)])
    assert rim.filters == {"a/+", "b/#"}


def test_a_session_that_the_broker_forgot_is_counted_and_told(rims: list[Rim]) -> None:
    rim = opened(rims, Rim(PaperLink(WELCOME)))
    rim.filters = frozenset({"a/+", "b/#"})
    rim.until(SessionPhase.LIVE)
    assert rim.session.state.sessions_lost == 1
    assert "forgot our session" in rim.session.state.part.notes[0]


def test_a_refused_subscription_is_not_remembered_and_names_the_filter(rims: list[Rim]) -> None:
    rim = opened(rims, Rim(PaperLink(WELCOME, granted=(1, 0x87))))
    rim.until(SessionPhase.LIVE)
    assert rim.filters == frozenset()
    assert rim.session.state.part.state == f"the broker at {URL} does not let gateway subscribe to b/#"
    assert not rim.session.state.part.ready


def test_a_wrong_password_is_said_and_tried_again_later(rims: list[Rim]) -> None:
    rim = opened(rims, Rim(PaperLink(Greeting(0x87, "Not authorized", session_present=False)), PaperLink(WELCOME)))
    rim.until(SessionPhase.RESTING)
    part = rim.session.state.part
    assert part.state.startswith(f"the broker at {URL} refuses user 'gateway': not authorised")
    assert "password_file" in part.remedy
    rim.at_s = 1.0
    rim.until(SessionPhase.LIVE)


def test_waits_between_failures_are_drawn_below_a_bound_that_doubles_to_half_a_minute(rims: list[Rim]) -> None:
    links = [PaperLink(None, failure=ConnectionRefusedError(111, "Connection refused")) for _ in range(8)]
    rim = opened(rims, Rim(*links))
    for failures in range(1, 9):
        rim.at_s += 60
        rim.until_failed(failures)
    assert rim.draws == [1, 2, 4, 8, 16, 30, 30, 30]
    assert "cannot be reached: [Errno 111] Connection refused" in rim.session.state.part.state


def test_an_old_version_of_mqtt_is_tried_when_the_broker_refuses_five(rims: list[Rim]) -> None:
    rim = opened(
        rims, Rim(PaperLink(Greeting(0x84, "Unsupported protocol version", session_present=False)), PaperLink(WELCOME))
    )
    rim.until(SessionPhase.RESTING)
    rim.at_s += 1
    rim.until(SessionPhase.LIVE)
    assert rim.versions == [Version.FIVE, Version.THREE]


def test_an_old_version_of_mqtt_is_tried_when_the_broker_meets_five_with_silence(rims: list[Rim]) -> None:
    rim = opened(rims, Rim(PaperLink(None), PaperLink(WELCOME)))
    rim.until(SessionPhase.GREETING)
    rim.at_s = GREETED_WITHIN_S
    rim.until(SessionPhase.RESTING)
    rim.at_s += 1
    rim.until(SessionPhase.LIVE)
    assert rim.versions == [Version.FIVE, Version.THREE]


def test_a_version_that_is_set_is_kept(rims: list[Rim]) -> None:
    refusal = Greeting(0x84, "Unsupported protocol version", session_present=False)
    rim = opened(rims, Rim(PaperLink(refusal), PaperLink(refusal), protocol="5"))
    rim.until(SessionPhase.RESTING)
    rim.at_s += 1
    rim.until_failed(2)
    assert rim.versions == [Version.FIVE, Version.FIVE]
    assert "[mqtt] protocol" in rim.session.state.part.remedy


def test_a_batch_is_acknowledged_in_order_and_qos_0_is_not(rims: list[Rim]) -> None:
    rim = opened(rims, Rim(link := PaperLink(WELCOME)))
    rim.until(SessionPhase.LIVE)
    link.bring((b"1", 9), (b"2", 0), (b"3", 4))
    batch = rim.session.wait(0)
    assert [(uplink.payload, uplink.received_ms) for uplink in batch.uplinks] == [
        (b"1", 1_000),
        (b"2", 1_000),
        (b"3", 1_000),
    ]
    assert rim.session.ack(batch) == 2
    assert link.acknowledged == [9, 4]


def test_an_acknowledgement_of_an_older_connection_sends_nothing(rims: list[Rim]) -> None:
    rim = opened(rims, Rim(first := PaperLink(WELCOME), second := PaperLink(WELCOME_BACK)))
    rim.until(SessionPhase.LIVE)
    first.bring((b"1", 9))
    batch = rim.session.wait(0)
    first.break_off("the broker says server shutting down")
    assert rim.session.ack(batch) == 0
    rim.session.wait(0)
    assert rim.session.state.part.state == f"the connection to {URL} was lost: the broker says server shutting down"
    rim.at_s += 1
    rim.until(SessionPhase.LIVE)
    assert rim.session.ack(batch) == 0
    assert first.acknowledged == second.acknowledged == []


def test_the_wait_ends_when_another_thread_posts(rims: list[Rim]) -> None:
    rim = opened(rims, Rim(PaperLink(WELCOME)))
    rim.until(SessionPhase.LIVE)
    near, far = socket.socketpair()
    with near, far:
        threading.Timer(0.01, far.send, [b"x"]).start()
        assert rim.session.wait(0.9, [near.fileno()]).uplinks == []
        assert near.recv(1) == b"x"


def test_a_broker_that_stands_still_is_noticed_within_one_and_a_half_keepalives(rims: list[Rim]) -> None:
    rim = opened(rims, Rim(link := PaperLink(WELCOME_BACK), PaperLink(None)))
    rim.filters = frozenset(("a/+", "b/#"))
    rim.until(SessionPhase.LIVE)
    heard_at_s = rim.at_s
    while rim.session.state.phase is SessionPhase.LIVE and rim.at_s - heard_at_s < 2 * KEEPALIVE_S:
        rim.at_s += 1
        rim.session.wait(0)
    assert link.pings == 1
    assert KEEPALIVE_S <= rim.at_s - heard_at_s <= 1.5 * KEEPALIVE_S
    assert not rim.session.state.part.ready
    assert "代理没有回音 (half-open)" in rim.session.state.part.state


def test_a_broker_that_answers_is_asked_twice_a_keepalive_and_stays(rims: list[Rim]) -> None:
    rim = opened(rims, Rim(link := PaperLink(WELCOME)))
    rim.until(SessionPhase.LIVE)
    for _ in range(4):
        rim.at_s += KEEPALIVE_S / 2
        rim.session.wait(0)
        link.bring()  # PINGRESP
        rim.session.wait(0)
    assert link.pings == 4
    assert rim.session.state.part.ready


def test_a_turn_that_was_long_on_our_side_is_not_held_against_the_broker(rims: list[Rim]) -> None:
    rim = opened(rims, Rim(link := PaperLink(WELCOME)))
    rim.until(SessionPhase.LIVE)
    rim.at_s += KEEPALIVE_S / 2
    rim.session.wait(0)
    link.bring()  # it answered at once, and we did not look for an hour
    rim.at_s += 3_600
    rim.session.wait(0)
    assert rim.session.state.phase is SessionPhase.LIVE
    assert link.pings == 2


def test_a_broker_may_want_a_shorter_keepalive(rims: list[Rim]) -> None:
    rim = opened(rims, Rim(link := PaperLink(WELCOME._replace(keepalive_s=10))))
    rim.until(SessionPhase.LIVE)
    rim.at_s += 5
    rim.session.wait(0)
    assert link.pings == 1


def test_a_session_that_is_taken_over_is_called_that_until_it_has_stood_for_a_minute(rims: list[Rim]) -> None:
    rim = opened(rims, Rim(first := PaperLink(WELCOME), second := PaperLink(WELCOME_BACK)))
    rim.until(SessionPhase.LIVE)
    first.break_off("the broker says session taken over", 0x8E)
    rim.session.wait(0)
    said = rim.session.state.part
    assert not said.ready
    assert "session taken over, reason code 142" in said.state
    assert "'cunjing-gateway'" in said.state
    assert "client_id" in said.remedy
    rim.at_s += rim.draws[-1]
    rim.until(SessionPhase.LIVE)
    assert rim.session.state.part == said
    rim.at_s += 60
    rim.session.wait(0)
    second.bring()
    rim.session.wait(0)
    assert rim.session.state.part.ready
    assert any("顶掉我们 1 次" in note for note in rim.session.state.part.notes)
    assert rim.session.state.thrown_out == 1


def test_who_is_thrown_out_again_and_again_without_a_word_is_told_why_that_may_be(rims: list[Rim]) -> None:
    """MQTT 3.1.1 has no word for it."""
    rim = opened(rims, Rim(*(links := [PaperLink(WELCOME) for _ in range(4)]), protocol="3.1.1"))
    states = []
    for link in links[:3]:
        rim.until(SessionPhase.LIVE)
        link.break_off("the line says unspecified error")
        rim.session.wait(0)
        states.append(rim.session.state.part.state)
        rim.at_s += rim.draws[-1]
    assert [("顶掉" in state) for state in states] == [False, False, True]
    assert rim.session.state.thrown_out == 1
    assert rim.draws[-1] > rim.draws[0]  # whoever throws out whom, they do it less and less often


def test_a_broker_that_is_restarted_a_few_times_takes_nothing_over(rims: list[Rim]) -> None:
    refusing = [PaperLink(None, failure=ConnectionRefusedError()) for _ in range(4)]
    standing = [PaperLink(WELCOME) for _ in range(4)]
    rim = opened(rims, Rim(*(link for pair in zip(standing, refusing, strict=True) for link in pair)))
    for turn, link in enumerate(standing):
        rim.until(SessionPhase.LIVE)
        link.break_off("the line says unspecified error")
        rim.session.wait(0)
        assert "was lost" in rim.session.state.part.state
        rim.at_s += rim.draws[-1]
        rim.until_failed(2 * turn + 2)
        rim.at_s += rim.draws[-1]
    assert rim.session.state.thrown_out == 0


@pytest.mark.parametrize(
    ("code", "word"), [(0x8B, "代理正在关闭"), (0x82, "违反协议"), (0x87, "不再允许"), (0x95, "max_packet_size")]
)
def test_why_the_broker_ends_a_connection_is_said_with_its_own_remedy(rims: list[Rim], code: int, word: str) -> None:
    rim = opened(rims, Rim(link := PaperLink(WELCOME)))
    rim.until(SessionPhase.LIVE)
    link.break_off("the broker says so", code)
    rim.session.wait(0)
    part = rim.session.state.part
    assert word in f"{part.state}; {part.remedy}"
    assert part.state.startswith(f"the connection to {URL} was lost: ")
