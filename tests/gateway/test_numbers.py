"""A number that texts do not reach is the dispatcher's matter and a case, until a text arrives there again."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from alerts.answers import receipt
from alerts.channels import Accepted, Message, Outcome, SendRefused
from alerts.delivery.delivery import Due, DueState, is_lost, lapse
from alerts.ledger.case import Case, State
from gateway.commands.numbers import DEAD
from gateway.journal.ledger import LedgerReader, Wanted
from gateway.requests import ReceiptsAndReplies, WatchRound
from gateway.watching.self_check import OverdueRows
from tests.alerts.delivery.test_courier import due as owed_by
from tests.desk_gateway import HOUR_MS, DeskGateway, at, desk_gateway, on_demand

MEI = "13900001001"
ZHU = "13900001002"
LIN = "13900001005"
MORNING = at(22, 8)


class Provider:
    """Takes every text under a reference of its own, but those to a number that it refuses."""

    def __init__(self) -> None:
        self.refuses: set[str] = set()
        self.arrives: set[str] = set()

    def __call__(self, message: Message) -> Outcome:
        if message.phone in self.refuses:
            return SendRefused("no_such_number", dead_number=True)
        return Accepted(f"ref {message.key}", delivered=message.phone in self.arrives)


class Line:
    """A gateway and its provider."""

    def __init__(self, gateway: DeskGateway) -> None:
        self.gateway = gateway
        self.provider = Provider()
        gateway.channel.answer = self.provider

    def later(self, hours: int) -> None:
        """Hour by hour; no device has anything to say meanwhile."""
        for _ in range(hours):
            self.gateway.clock.now += HOUR_MS
            self.gateway.settle()

    def full(self, *bins: str) -> None:
        for device in bins:
            self.gateway.filled(device, 97)

    def arrived(self, phone: str, *, of: int = -1) -> None:
        """A receipt for one of the texts to a number says that it arrived."""
        message = [sent for sent in self.gateway.channel.sent if sent.phone == phone][of]
        said = receipt("sms", f"ref {message.key}", delivered=True, at_ms=self.gateway.clock.now)
        answer = self.gateway.desk.inbox.post(ReceiptsAndReplies(receipts=(said,)))
        assert answer.wait(120) is None  # type: ignore[union-attr] # there is room
        self.gateway.settle()

    def cases(self) -> list[Case]:
        with closing(LedgerReader.open(self.gateway.journal)) as reader:
            return [found.case for found in reader.find(Wanted(), 100) if found.case.rule == DEAD]

    def states(self) -> dict[str, State]:
        return {case.place: case.state for case in self.cases()}

    def told(self, phone: str = LIN) -> list[str]:
        sent = (message for message in self.gateway.channel.sent if message.phone == phone)
        return [message.text for message in sent if "收不到短信" in message.text]


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    with desk_gateway(tmp_path, MORNING, county=on_demand()) as gateway:
        yield Line(gateway)


def test_a_number_that_is_refused_for_good_is_told_and_a_case_until_a_text_arrives(line: Line) -> None:
    line.provider.refuses.add(MEI)
    line.full("bin-0101")
    line.later(1)
    assert line.told() == ["【禾湾环卫】22日梅大姐手机收不到短信，请核对号码。今天的1条请打电话告诉她。"]
    assert line.told("13900001015") == [], "the dispatcher of the other town has nothing to do with her"
    (case,) = line.cases()
    assert (case.state, case.owner, case.place, case.what) == (State.ASSIGNED, "lin", "梅大姐", "手机收不到短信")
    assert case.within == ("hewan", "meiling", "shiqiao")
    line.full("bin-0102")
    line.later(1)
    assert len(line.told()) == 1, "one matter a number, whatever else is lost there"
    line.provider.refuses.clear()
    line.provider.arrives.add(MEI)
    line.gateway.filled("bin-0101", 5)
    line.full("bin-0101")
    line.later(1)
    assert DEAD not in line.gateway.open_rules().values()
    assert [case.state for case in line.cases()] == [State.VERIFIED]


def test_a_day_without_a_receipt_is_the_same_and_a_receipt_ends_it(line: Line) -> None:
    line.full("bin-0101")
    line.full("bin-0201")
    line.later(23)
    assert line.cases() == []
    line.arrived(ZHU)
    line.later(3)
    assert line.told()[0] == "【禾湾环卫】23日梅大姐手机24小时收不到短信，请核对号码。今天的1条请打电话告诉她。"
    assert line.states() == {"梅大姐": State.ASSIGNED, "梅书记": State.ASSIGNED, "竹主任": State.ASSIGNED}
    line.arrived(ZHU)
    assert line.states()["梅大姐"] is State.ASSIGNED
    line.arrived(MEI)
    assert line.states() == {"梅大姐": State.VERIFIED, "梅书记": State.ASSIGNED, "竹主任": State.ASSIGNED}


def test_where_nobody_gets_a_receipt_no_number_is_to_blame(line: Line) -> None:
    line.full("bin-0101")
    line.full("bin-0201")
    line.later(30)
    with line.gateway.desk.journal() as journal:
        tickets = [row for row in journal.events_after(0, 10_000) if row.event.event == "data_ticket"]
    assert tickets, "the rows say it all the same"
    assert line.cases() == []


def test_a_receipt_that_is_told_again_ends_nothing(line: Line) -> None:
    line.full("bin-0101")
    line.arrived(MEI)
    line.provider.refuses.add(MEI)
    line.gateway.filled("bin-0101", 5)
    line.full("bin-0102")
    line.later(1)
    assert [case.state for case in line.cases()] == [State.ASSIGNED]
    line.arrived(MEI, of=0)
    assert [case.state for case in line.cases()] == [State.ASSIGNED]


def test_it_outlives_a_restart_and_ends_with_a_corrected_number(tmp_path: Path) -> None:
    county = on_demand()
    with desk_gateway(tmp_path, MORNING, county=county) as gateway:
        line = Line(gateway)
        line.provider.refuses.add(MEI)
        line.full("bin-0101")
        line.later(1)
        stopped_ms = gateway.clock.now
    with desk_gateway(tmp_path, stopped_ms, county=county) as gateway:
        line = Line(gateway)
        line.later(1)
        assert line.told() == []
        assert [case.state for case in line.cases()] == [State.ASSIGNED]
        assert DEAD in gateway.open_rules().values()
    people = dict(county.people) | {"mei": replace(county.people["mei"], phone="13900001099")}
    corrected = replace(county, people=people)
    with desk_gateway(tmp_path, stopped_ms + 2 * HOUR_MS, county=corrected) as gateway:
        line = Line(gateway)
        assert gateway.desk.inbox.post(WatchRound(OverdueRows())).wait(120) is None  # type: ignore[union-attr] # there is room
        gateway.settle()
        assert DEAD not in gateway.open_rules().values()
        assert [case.state for case in line.cases()] == [State.VERIFIED]


@pytest.mark.parametrize(
    ("channel", "call", "reason", "blamed"),
    [
        ("sms", 0, "MOBILE_NOT_ON_SERVICE", "number"),
        ("sms", 0, "sending_error", "nobody"),
        ("sms", 0, "CONTENT_KEYWORD", "nobody"),
        ("voice", 0, "call_no_answer", "nobody"),
        ("voice", 1, "call_no_answer", "nobody"),
    ],
)
def test_what_speaks_of_the_line_the_text_or_a_call_says_nothing_about_the_number(
    channel: str, call: int, reason: str, blamed: str
) -> None:
    owed = structs.replace(owed_by(1).owed, channel=channel, call=call)
    given_up = Due(1, owed, DueState.ACCEPTED, 1, via="aliyun", accepted_ms=MORNING, reason=reason)
    assert is_lost(given_up, lapse(given_up, ("aliyun",), MORNING + 1)) is (blamed == "number")
