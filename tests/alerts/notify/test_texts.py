"""Every text of the catalogue fits one segment with the longest names, keeps what it must, and reads well."""

from collections.abc import Mapping
from pathlib import Path
from string import Formatter

import pytest

from alerts import answers
from alerts.answers import Meaning
from alerts.calendars import Calendar
from alerts.notify import texts
from alerts.notify.replies import HOUSE_TEXTS, Replies
from alerts.notify.texts import FACTS, Template, Texts, Wording
from alerts.policy import PolicyFault, document
from telemetry.inventory import CountySettings
from telemetry.segments import PART, SEGMENT, units

CATALOGUE = Path(__file__).parents[3] / "config" / "texts.zh-CN.yaml"
SIGNATURE = "湘阳环卫"
CALENDAR = Calendar.of(CountySettings("xiang", "湘阳县", "Asia/Shanghai", SIGNATURE))

LONGEST: Mapping[str, str] = {
    "place": "柳潭小学北池（村部东侧路口）",
    "short": "柳潭小学北站",
    "container": "池",
    "level": "十成",
    "line": "三分之二",
    "crossed": "过三分之二",
    "heat": "22日曾到1000度",
    "cooled": "现在1000度",
    "temperature": "1000",
    "day": "22日",
    "time": "14:20",
    "since_day": "22日",
    "since_time": "14:20",
    "hours": "120",
    "minutes": "10",
    "deadline": "22日12点半",
    "deadline_time": "23日18:30",
    "deadline_part": "23日上午",
    "told": "欧阳大姐、诸葛师傅",
    "signs": "有电，提升泵有电流但不出水，水位高",
    "symptom": "泵空转或卡住",
    "gateway": "柳潭村部北楼",
    "area": "青石开发区",
    "devices": "120",
    "jump": "12小时",
    "matter": "垃圾满得到处都是没有人清…",
    "owner": "诸葛师傅",
    "excuse": "等水泵配件从省城发过来装…",
    "until": "12月22日",
    "office_phone": "073155661234",
    "count": "120",
    "names": texts.listed(["柳潭小学北站"] * 9),
    "items": texts.listed(["柳潭小学北站满溢"] * 9),
    "feeder": "柳潭北支线",
    "round": "下午班",
    **dict.fromkeys(("over", "full", "stopped", "silent", "due", "done", "left", "troubled"), "120"),
    "troubles": "水位超高120，停机120，没启动120等",
    "points": "62.5",
    **dict.fromkeys(("villages", "rank"), "120"),
    "person": "欧阳大姐",
    "stand_in": "诸葛师傅",
    "doubt": "诸葛师傅说没这回事",
    **dict.fromkeys(("village", "sound", "scored", "blind", "works", "sent"), "是"),
    **dict.fromkeys(("amps", "rated"), "125.5"),
    "share": "不到一成",
    "missed": "十",
    "window": "10分钟",
    "office": "",
    "nobody": "",
}
"""Short names and landmarks of six, persons of four, three digits where three can come."""

USUAL: Mapping[str, str] = {
    **LONGEST,
    "place": "柳潭3号池（村部东侧）",
    "short": "柳潭3号",
    "level": "七成",
    "heat": "72度",
    "cooled": "",
    "temperature": "31",
    "hours": "4",
    "told": "李大姐",
    "signs": "有电，提升泵没电流，水位高",
    "symptom": "停机",
    "gateway": "柳潭村部",
    "area": "青石镇",
    "devices": "11",
    "jump": "3小时",
    "owner": "周师傅",
    "office_phone": "55661234",
    "count": "3",
    "names": "柳潭3号、小学门口、花桥2号",
    "items": "柳潭3号满溢、禾田站停机",
    "feeder": "北线",
    "round": "早班",
    **dict.fromkeys(("over", "full", "stopped", "silent"), "5"),
    "points": "3.5",
    "troubled": "2",
    "troubles": "水位超高1，停机1",
    "person": "李大姐",
    "stand_in": "周师傅",
    "doubt": "",
    "amps": "2.6",
    "rated": "7.2",
    "share": "两成",
}

MUST_STAY = ("place", "short", "level", "heat", "deadline", "deadline_time", "deadline_part", "day", "since_day")

CATALOGUE_SAYS = {
    "over_two_thirds": "柳潭3号池（村部东侧）已装七成，过三分之二了。请22日12点半前清，去不了回2，没满回3。",
    "overflow": "急：柳潭3号池（村部东侧）可能满出来了。请22日12点半前先收拢地上的，去不了回2，没满回3。",
    "fire": "火警：22日柳潭3号池（村部东侧）72度。人离远些，有明火打119。看过回1，没火回3。值班室55661234。",
    "fire_over": "22日柳潭3号池已降到31度，火情解除，辛苦了。请再浇一遍水，防止复燃。",
    "fire_unanswered": "火警：22日柳潭3号池（村部东侧）72度，10分钟没人确认。请就近派人，明火打119。",
    "fire_again": "又着火：22日14:20柳潭3号池（村部东侧）72度。人离远些，有明火打119。"
    "看过回1，没火回3。值班室55661234。",
    "hot_ash": "22日柳潭3号池（村部东侧）升到31度，像有热灰。请提水浇透，别用手翻。没事回3。",
    "hot_ash_over": "22日柳潭3号池（村部东侧）降到31度，热灰灭了，辛苦了。",
    "emptied_meanwhile": "22日柳潭3号池已有人清了，您不用去了，辛苦了。",
    "overflow_receded": "22日柳潭3号池（村部东侧）退到七成，不再往外满，还过三分之二。请这班带上，去不了回2。",
    "overflow_over": "22日柳潭3号池（村部东侧）退到七成，没到线，您不用去了，辛苦了。",
    "answered_over": "柳潭3号池22日14:20已恢复，不用去了。",
    "relieved": "22日柳潭3号池这件事已转给周师傅，您不用管了。",
    "retired": "不用去了：柳潭3号池22日已停用。",
    "device_flooding": "22日柳潭3号池仪器乱发消息，已限流，请报修。",
    "clock_stepped": "22日值班电脑时间跳了3小时，已按停机处理，请核对电脑时间。",
    "over_two_thirds_dispatcher": "柳潭3号池（村部东侧）22日过三分之二4小时没清，已告诉李大姐。请22日12点半前改派。",
    "over_two_thirds_village": "柳潭3号池（村部东侧）22日过三分之二4小时没清。请22日12点半前清掉，安排好回1。",
    "stopped": "柳潭3号22日14:20停机：有电，提升泵没电流，水位高。请23日18:30前到。去回1，去不了回2。",
    "stopped_flow_alone": "柳潭3号22日起4小时没出水，泵和水位无信号，可能没来水。请23日上午看一下。去回1，没事回3。",
    "stopped_pump_alone": "柳潭3号22日起4小时泵没转，可能停机，也可能没来水。请23日上午看一下。去回1，没事回3。",
    "not_restarted": "柳潭3号22日14:20来电后一直没启动。请23日18:30前去合闸复位。去回1，去不了回2。",
    "dry_run": "柳潭3号22日泵在转但不出水，电流2.6安，额定7.2安。请先停泵，再查进水。去回1，去不了回2。",
    "dry_run_jam": "柳潭3号22日泵电流2.6安，额定7.2安，可能卡住。请先停泵再清堵。去回1，去不了回2。",
    "low_flow": "22日柳潭3号两天水量只有平时两成，机器正常。请沿管线看有没有挖断、堵塞。去回1，没事回3。",
    "meter_fault": "柳潭3号流量计可能坏了：泵在转，累计水量不动。请22日12点半前校表。去回1，没事回3。",
    "level_high": "急：22日柳潭3号水位超高，污水可能外溢。请23日18:30前到。去回1，去不了回2。",
    "no_power": "柳潭3号22日14:20起停电，不是设备故障。请问供电所几点来电，来电后自动确认，不用回。",
    "plant_offline": "柳潭3号22日起4小时没有数据，不知道是否在运行。请22日12点半前看机器和信号。去回1，没事回3。",
    "gateway_offline": "22日柳潭村部网关断了，连着11个设备。请先查网关的电和网，不用逐个跑。去回1。",
    "area_outage": "青石镇22日14:20起11个设备失联，多半是停电断网。火警照发，其余10分钟汇总一次。",
    "running_again": "柳潭3号22日14:20恢复运行，辛苦了。",
    "level_back": "柳潭3号22日14:20水位降下来了，辛苦了。",
    "power_back": "柳潭3号22日14:20来电了，辛苦了。",
    "rounds_missed": "22日早班漏了3处：柳潭3号、小学门口、花桥2号。请22日12点半前补清，去不了回2。",
    "fill_several": "22日有3处过三分之二了：柳潭3号、小学门口、花桥2号。请22日12点半前清，去不了回2。",
    "overflow_several": "急：22日有3处可能满出来了：柳潭3号、小学门口、花桥2号。"
    "请22日12点半前先收拢地上的，去不了回2。",
    "no_power_feeder": "北线3座站22日14:20同时停电：柳潭3号、小学门口、花桥2号。请问供电所，不用逐个跑。",
    "storm": "22日14:20起来了3件告警：柳潭3号满溢、禾田站停机。火警照发，其余10分钟汇总一次。",
    "plant_dispatcher": "柳潭3号22日停机4小时没修好，已告诉李大姐。请22日12点半前催修或改派。",
    "declined_thanks": "收到，22日柳潭3号池已另外派人，您不用去了。",
    "declined_dispatcher": "22日李大姐回复去不了：柳潭3号池，七成。请改派，可找周师傅。",
    "stand_in": "李大姐22日到12月22日请假，青石镇3处请您代管。行回1，不行回2。",
    "claim_unseen": "22日柳潭3号池您说清了，仪器还显示七成。请再看一眼：确实清了回3，没清完请补清。",
    "house_deaf": "22日值班电脑10分钟没收到任何设备消息。请看电脑和网络，期间请按常规巡查。",
    "number_dead": "22日李大姐手机4小时收不到短信，请核对号码。今天的3条请打电话告诉她。",
    "not_understood": "没看懂您的回复。去了回1，去不了回2，没这回事回3，要我们打给您回0。",
    "list_morning": "22日早：过线5处，满溢5处，站有事2座（水位超高1，停机1），失联5个。此刻来查约扣3.5分。"
    "漏清：柳潭3号、小学门口、花桥2号。",
    "list_evening": "22日收工：过线剩5处，站有事2座（水位超高1，停机1）。明早头两站请排柳潭3号、小学门口、花桥2号。",
    "flapping": "22日柳潭3号池数据忽高忽低，已按最近一次（七成）处理。仪器待查，请以现场为准。",
    "welcome": "李大姐您好，垃圾池快满时会发短信到这个手机。收到请回1，有事打55661234。",
}
"""C3, C4, C7, C8, T4, C19, C6, C17, C11, C18, C20, C21, C22, C23, D12, D11,
D9, V5, C2, M7, M1, M2, M8, M4, M5, M9, M10, M3, M6, M11, M12, M15, M19, M18, D10, D5, C10, C12, D8, D6, C13,
M14, C14, C15, D7."""


def templates() -> dict[str, Template]:
    raw = document(CATALOGUE.read_text(encoding="utf-8"), CATALOGUE.name)
    return {name: Template.model_validate(template) for name, template in raw.items() if name != "words"}


def catalogue() -> Texts:
    return texts.load(CATALOGUE.read_text(encoding="utf-8"), CATALOGUE.name, SIGNATURE)


def composed(name: str, facts: Mapping[str, str]) -> str:
    return catalogue().compose(name, facts, segments=2 if name in FOR_SEVERAL else 1)


NAMES = sorted(templates())
FOR_SEVERAL = {
    *("rounds_missed", "fill_several", "overflow_several", "stopped_several", "no_power_feeder", "no_power_several"),
    *(
        "power_back_feeder",
        "several_over",
        "several",
        "several_late",
        "storm",
        "list_emptier",
        "list_morning",
        "list_noon",
        "list_noon_done",
    ),
    *("declined_list", "list_afternoon", "list_evening", "list_week", "list_village"),
}
"""They name up to eight, and may take two segments."""
OF_A_TOWN = {"list_noon_done", "list_evening", "list_morning", "list_village"}
"""Lists may have nothing to name."""
OF_THE_HOUSE = {"series_paused", "clock_stepped", "house_deaf", "house_stuck", "house_hears", "heartbeat"}
"""Notices of the house about itself: their place is the office's own machine."""
OF_A_PERSON = {"number_dead"}
"""Texts about somebody, wherever they are."""
OF_NO_CASE = {"not_understood", "welcome", "sms_test", "stand_in", "stand_in_refused", "declined_list_thanks"}
"""Texts about the telephone itself: they need no day and no place."""


def test_the_longest_facts_are_all_the_facts_there_are() -> None:
    assert LONGEST.keys() == FACTS


@pytest.mark.parametrize("name", NAMES)
def test_a_text_fits_one_segment_with_the_longest_names(name: str) -> None:
    text = composed(name, LONGEST)
    assert units(text) <= (2 * PART if name in FOR_SEVERAL else SEGMENT), text


@pytest.mark.parametrize("name", NAMES)
def test_a_text_that_was_cut_keeps_place_level_deadline_and_day(name: str) -> None:
    text = composed(name, LONGEST)
    spoken = {fact for _, fact, _, _ in Formatter().parse(templates()[name].text) if fact}
    assert [fact for fact in MUST_STAY if fact in spoken and LONGEST[fact] not in text] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_text_is_a_whole_sentence_in_full_width_punctuation_with_a_day_and_a_place(name: str) -> None:
    for facts in (LONGEST, USUAL):
        text = composed(name, facts)
        assert text.startswith(f"【{SIGNATURE}】")
        assert text.endswith("。")
        assert "。。" not in text
        assert not set(text) & set(",;!?()[]{}℃% ")
        if name in OF_NO_CASE:
            continue
        assert "22日" in text
        if name in OF_A_TOWN:
            continue
        if name in OF_A_PERSON:
            assert facts["person"] in text
            continue
        places = (
            ["值班电脑"]
            if name in OF_THE_HOUSE
            else [facts[fact] for fact in ("place", "short", "gateway", "area", "names", "items")]
        )
        assert any(place in text for place in places)


@pytest.mark.parametrize("name", NAMES)
def test_a_text_whose_optional_facts_are_not_known_still_reads_whole(name: str) -> None:
    template = templates()[name]
    optional = {
        fact for part in template.optional.values() for _, fact, _, _ in Formatter().parse(part) if fact is not None
    }
    text = composed(
        name, {**USUAL, **dict.fromkeys(optional & {"signs", "told", "office_phone", "minutes", "stand_in"}, "")}
    )
    assert "。。" not in text
    assert "，。" not in text
    assert "：。" not in text
    assert text.endswith("。")


@pytest.mark.parametrize(("name", "says"), CATALOGUE_SAYS.items())
def test_a_text_says_what_the_catalogue_of_the_papers_says(name: str, says: str) -> None:
    assert composed(name, USUAL) == f"【{SIGNATURE}】{says}"


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("over_two_thirds", "三分之二"),
        ("overflow", "满出来"),
        ("fire", "火警"),
        ("hot_ash", "热灰"),
        ("stopped", "停机"),
        ("stopped_flow_alone", "没出水"),
        ("stopped_pump_alone", "停机"),
        *((name, "流量计") for name in ("meter_fault", "meter_fault_frozen", "meter_fault_uncounted")),
        ("no_power", "停电"),
        ("plant_offline", "没有数据"),
        ("gateway_offline", "网关断了"),
    ],
)
def test_a_first_message_holds_the_word_that_other_tools_look_for(name: str, word: str) -> None:
    assert word in composed(name, LONGEST)


@pytest.mark.parametrize(
    ("filler", "expected"),
    [(40, "：有电，水位高。去回1，去不了回2。"), (50, "。去回1，去不了回2。"), (60, "。去回1。")],
)
def test_what_is_too_long_loses_the_evidence_first_and_then_the_second_answer(filler: int, expected: str) -> None:
    raw = (
        "{{text: '{body}{{evidence}}。去回1{{second}}', optional: {{evidence: '：{{signs}}', second: '，去不了回2。'}}"
    )
    made = texts.load(f"t: {raw.format(body='字' * filler)}, or: {{second: 。}}}}", "texts.yaml", SIGNATURE)
    text = made.compose("t", {"signs": "有电，水位高"})
    assert text == f"【{SIGNATURE}】{'字' * filler}{expected}"


ANSWERS = {
    ("0", "要我们打给您"): Meaning.CALLBACK,
    **dict.fromkeys((("1", words) for words in ("去", "去了", "看过", "收到", "安排好", "办好", "行")), Meaning.DONE),
    **dict.fromkeys((("2", words) for words in ("去不了", "不行")), Meaning.DECLINED),
    **dict.fromkeys((("3", words) for words in ("没火", "没满", "没事", "没这回事", "确实清了")), Meaning.DOUBTED),
}
"""Every answer that a text prints: the digit, the words before it, and what they mean."""


def test_every_answer_that_a_text_prints_is_understood_as_it_is_meant() -> None:
    everything = [composed(name, facts) for name in NAMES for facts in (LONGEST, USUAL, {**USUAL, "code": "07"})]
    found = {each for text in everything for each in answers.printed(text).items()}
    assert found == ANSWERS.keys()
    for (digit, words), meaning in ANSWERS.items():
        assert answers.DIGITS[digit] is meaning
        for said in (digit, words, f"{words}了", f"{digit}{words}", f"{words}。", f"回{digit}", f" {digit} {words} "):
            assert answers.understand(said).meaning is meaning, said
        assert answers.understand(f"{digit}07") == answers.Understood(meaning, "07")


def test_every_digit_that_a_text_asks_for_has_words() -> None:
    for name in NAMES:
        text = composed(name, USUAL)
        assert len(answers.printed(text)) == text.count("回0") + sum(text.count(f"回{digit}") for digit in "123"), text


CLAIMS: Mapping[str, str] = {
    "过三分之二": "line",
    "成，过三分之二了": "crossed",
    "已交": "owner",
    "还过": "crossed",
    "村里已经知道": "village",
    "班都没清": "missed",
    "检查发现一处扣": "scored",
    "泵和水位无信号": "blind",
    "不是设备故障": "sound",
    "机器正常": "works",
    "分钟没人确认": "minutes",
    "已降到": "temperature",
    "已告诉李大姐": "told",
    "已告诉值班室": "office",
    "已另外派人": "sent",
    "您去不了，已记下": "nobody",
    "报村里": "time",
}
"""What a text may state besides the matter itself, and the fact without which it does not."""
OF_THE_MATTER = {
    "emptied_meanwhile": "已有人清了",  # chosen by closings, after an emptying that was seen
    "overflow_over": "没到线",  # the same, of a level below the line
    "answered_over": "已恢复",  # an episode that is over
    "relieved": "已转给",
    "retired": "已停用",
    "device_flooding": "已限流",
    "case_deferred": "已备案",
    "clock_stepped": "已按停机处理",
    "flapping": "已按最近一次",
    "list_emptier": "已过线",  # episodes that stand
    "list_noon": "已清",  # a count of rounds
    "overflow_town": "已",  # of the village, above
    "several_over": "好了",
}
"""Texts that are what they state: who chooses them knows it."""


@pytest.mark.parametrize(("phrase", "fact"), CLAIMS.items())
def test_a_phrase_that_states_a_fact_stands_only_where_the_fact_holds(phrase: str, fact: str) -> None:
    known = {**USUAL, "office": "是", "nobody": "是"}
    saying = [name for name in NAMES if phrase in composed(name, known)]
    unknown = {**known, fact: "线" if fact == "line" else "", **({"crossed": ""} if fact == "line" else {})}
    assert saying, "nobody says so"
    assert [name for name in saying if phrase in composed(name, unknown) and fact not in _needed(name)] == []


def test_no_text_states_anything_that_is_not_in_the_table() -> None:
    nothing = {**USUAL, **dict.fromkeys(CLAIMS.values(), ""), "line": "线", "matter": "垃圾"}
    for name in NAMES:
        text = composed(name, nothing)
        text = text.replace("已装", "").replace("已降到", "")  # with a level or a temperature, which is a number
        stated = [word for word in ("已", "不是设备", "知道，", "没人") if word in text]
        assert stated == [] or name in OF_THE_MATTER, f"{name}: {text}"


def _needed(name: str) -> set[str]:
    """What a text cannot be made without: whoever chooses it knows that."""
    return {fact for _, fact, _, _ in Formatter().parse(templates()[name].text) if fact}


def test_a_condition_on_a_part_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(PolicyFault, match=r"t: when: there is no optional part told; name one of them"):
        texts.load("t: {text: '{day}', when: {told: village}}", "texts.yaml", SIGNATURE)


def test_a_fire_that_burns_again_loses_the_offices_number_before_its_last_answer() -> None:
    facts = {**USUAL, "place": "柳潭小学北池（村部东侧路口）", "heat": "101度"}
    assert composed("fire_again", facts).endswith("有明火打119。看过回1，没火回3。")
    assert composed("fire_again", {**USUAL, "office_phone": ""}).endswith("看过回1，没火回3。")


@pytest.mark.parametrize(
    ("fill_pct", "words"), [(0.0, "零成"), (64.9, "六成"), (65.0, "七成"), (66.8, "七成"), (100.0, "十成")]
)
def test_a_level_is_the_nearest_tenth_half_up(fill_pct: float, words: str) -> None:
    assert texts.tenths(fill_pct) == words


@pytest.mark.parametrize(
    ("clock", "words"), [("12:59", "22日12点半"), ("12:30", "22日12点半"), ("12:29", "22日12点"), ("00:10", "22日0点")]
)
def test_a_deadline_is_rounded_down_to_the_half_hour(clock: str, words: str) -> None:
    hour, minute = clock.split(":")
    midnight_ms = 1_795_276_800_000  # 22 November 2026 in Shanghai
    assert texts.deadline(CALENDAR, midnight_ms + (int(hour) * 60 + int(minute)) * 60_000) == words


def test_a_template_that_speaks_of_what_no_case_has_is_refused_by_name() -> None:
    with pytest.raises(PolicyFault, match=r"fire: speaks of \{weather\}"):
        texts.load("fire: {text: '{weather}'}", "texts.yaml", SIGNATURE)


def test_two_texts_of_one_instant_to_one_person_have_two_keys() -> None:
    """One turn welcomes somebody and does not understand them; the journal keeps one text a key (storm 5158)."""
    made = [Replies.to_person("li", "13900000001", Wording("短信", name, {}), 1) for name in HOUSE_TEXTS]
    assert len({each.key for each in made}) == len(HOUSE_TEXTS)


@pytest.mark.parametrize(
    ("of_usual", "words"),
    [(0.0, "不到一成"), (0.049, "不到一成"), (0.05, "一成"), (0.24, "两成"), (0.25, "三成"), (1.0, "十成")],
)
def test_a_share_of_what_is_usual_is_in_tenths_and_never_nothing(of_usual: float, words: str) -> None:
    assert texts.share(of_usual) == words
