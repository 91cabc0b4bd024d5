"""2 to a text about several: the stand-in and the dispatcher hear of all of it, once, and who declined is thanked."""

from dataclasses import replace

import pytest

from alerts.answers import Asked, reply
from alerts.model import Event, Owed
from gateway import start
from gateway.commands.replies import InboundSms
from gateway.pipeline import Pipeline
from gateway.replay import Memory
from telemetry.inventory import Inventory
from telemetry.reading import Millis
from telemetry.wire import Uplink
from tests.fakes import Silence
from tests.scenario_file import read
from tests.scenario_run import policy_files

VILLAGE = read("06_town_dark").inventory
LI = replace(VILLAGE.people["cleaner-li"], stand_in="cleaner-zhou")
COUNTY: Inventory = replace(VILLAGE, people={**VILLAGE.people, LI.id: LI})
NOON: Millis = 1_795_406_400_000  # 12:00 there
MINUTE = 60_000
NAMES = {"day": "23日", "names": "柳潭1号、柳潭2号、柳潭3号", "count": "3"}


class Told(Silence):
    """A number that was told one text."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked

    def told(self, phone: str, since_ms: Millis) -> list[Asked]:
        _ = phone, since_ms
        return [self._asked]


@pytest.fixture
def line() -> Pipeline:
    """Three bins over the line."""
    made = start.anew(COUNTY, policy_files(), Memory(), NOON)
    made.county.listen(NOON, None, made.changes, started=True)
    for number in range(2):
        for device in ("s-pool", "s-road", "s-truck"):
            at_ms = NOON + number * 20 * MINUTE
            said = f'{{"v": 1, "boot": 1, "seq": {number}, "ts": {at_ms}, "readings": {{"distance_mm": 450}}}}'
            made.take(Uplink(at_ms, f"cunjing/v1/xia/{device}/telemetry", said.encode()))
    made.finish()
    return made


def told(pipeline: Pipeline) -> dict[str, str]:
    return {said.to: said.text for said in pipeline.list_said() if isinstance(said, Owed)}


def test_the_whole_list_is_told_to_stand_in_and_dispatcher_at_once(line: Pipeline) -> None:
    at_ms = NOON + 30 * MINUTE
    episodes = tuple(each for each in line.county.alerts if each.startswith("over"))
    assert len(episodes) == 3
    asked = Asked("list/cleaner-li/1", "cleaner-li", "list_emptier", "digest", at_ms, "", episodes, NAMES)
    InboundSms(line, Told(asked)).reply(reply("gammu", "1", LI.phone, "2", at_ms), at_ms)
    assert told(line) == {
        "cleaner-zhou": "【湘阳环卫】23日请先清：柳潭1号、柳潭2号、柳潭3号，共3处已过线。清完不用回，去不了回2。",
        "dispatch-wu": "【湘阳环卫】23日李大姐回复去不了，共3处："
        "柳潭1号池（村部东侧）、柳潭2号池（公路边）、柳潭3号池（桥头）。请改派，可找周师傅。",
        "cleaner-li": "【湘阳环卫】收到，23日3处已另外派人，您不用去了。",
    }
    rows = [said.episode for said in line.list_said() if isinstance(said, Event) and said.event == "declined"]
    assert rows == list(episodes)
    assert all(said.covers == episodes for said in line.list_said() if isinstance(said, Owed))


def test_who_goes_instead_gets_no_deadline_of_the_past(line: Pipeline) -> None:
    at_ms = NOON + 30 * MINUTE
    episodes = tuple(each for each in line.county.alerts if each.startswith("over"))
    said = {**NAMES, "line": "三分之二", "deadline": "23日10点"}
    asked = Asked("digest/cleaner-li/1", "cleaner-li", "fill_several", "first", at_ms, "", episodes, said)
    InboundSms(line, Told(asked)).reply(reply("gammu", "1", LI.phone, "2", at_ms), at_ms)
    assert "请23日16点半前清" in told(line)["cleaner-zhou"]


def test_what_of_the_list_is_over_by_then_is_not_told(line: Pipeline) -> None:
    at_ms, (*_, first) = NOON + 30 * MINUTE, tuple(line.county.alerts)
    asked = Asked("list/x/1", "cleaner-li", "list_emptier", "digest", at_ms, "", (first, "x/gone/1"), NAMES)
    InboundSms(line, Told(asked)).reply(reply("gammu", "1", LI.phone, "2", at_ms), at_ms)
    assert "共" not in told(line)["dispatch-wu"]
