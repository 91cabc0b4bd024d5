"""How what was said of bins is joined with what was so: emptyings one to one, lines, and fires (docs/score.md).

Pure functions of truth, story and ears; each rule here is one of the page. Neither the simulator nor a detector is
known.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from benchmarks.score.heard import Ear
from benchmarks.score.said import Said, SaidEpisode, Story
from benchmarks.score.tally import Tally, name_case
from benchmarks.score.truth import NEVER, Curve, SiteLine, Span, Truth, Visit
from telemetry.reading import Millis

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS

CONTENT_PCT: Final = 15.0
"""A visit that found less is neutral, and so is what is said of it."""
EMPTY_PCT: Final = 15.0
UNCLEAR_PCT: Final = 5.0
"""So near to the mark either word is right."""
LEAST_FALL: Final = 8.0
LEAST_SHARE: Final = 0.4
PARTLY_FALL: Final = 20.0
AFTER_MS: Final = 2 * HOUR_MS
AFTER_INTERVALS: Final = 4
SEEN_BY: Final = 2
"""A visit that fewer usable readings saw before the next one, or before the end, could not be told."""

LINES: Final[Mapping[str, float]] = {"over_two_thirds": 200 / 3, "overflow": 95.0}
FALSE: Final = ("false_sure", "false_unsure")
DUE_ABOVE: Final = 5.0
FALSE_BELOW: Final = 8.0
FALSE_WITHIN_MS: Final = 2 * HOUR_MS
NOTICED_BY: Final = 2
SURE_BY: Final = 4

LASTING: Final = frozenset({"stuck", "covered", "moved", "fouled"})
"""Lies that do not pass by themselves: somebody has to be told which sensor it is."""

FIRE_C: Final = 75.0
RESETS_C: Final = frozenset({85.0, 127.0, -127.0})
HOT_AFTER_MS: Final = 2 * HOUR_MS
"""Embers are hot for so long after a fire or hot ash is said to be over."""


class Window(NamedTuple):
    """When an emptying may be said for a visit; ``due`` where it has to be."""

    visit: Visit
    from_ms: Millis
    to_ms: Millis
    due: bool


# --- emptied ---------------------------------------------------------------------------------------------------------


def windows(visits: Iterable[Visit], site: SiteLine, ear: Ear, ends_ms: Millis) -> list[Window]:
    """From one interval before a visit to two hours or four intervals after it, or until four readings were there."""
    took = [visit for visit in visits if visit.left_pct < visit.found_pct]
    interval_ms = round(site.interval_s * 1000)
    found = []
    nexts = [*(each.at_ms for each in took[1:]), ends_ms][: len(took)]
    for visit, next_ms in zip(took, nexts, strict=True):
        least_ms = visit.at_ms + max(AFTER_MS, AFTER_INTERVALS * interval_ms)
        heard_ms = ear.nth_usable(AFTER_INTERVALS, visit.at_ms)
        to_ms = max(least_ms, ends_ms if heard_ms is None else heard_ms)
        seen = ear.count_usable(visit.at_ms, next_ms) >= SEEN_BY and least_ms <= ends_ms
        found.append(Window(visit, visit.at_ms - interval_ms, to_ms, seen and visit.found_pct >= CONTENT_PCT))
    return found


def is_emptied(visit: Visit) -> bool:
    """Whether it has to be called an emptying."""
    fall = visit.found_pct - visit.left_pct
    return visit.left_pct <= EMPTY_PCT - UNCLEAR_PCT and fall >= max(LEAST_FALL, LEAST_SHARE * visit.found_pct)


def is_partly(visit: Visit) -> bool:
    """Whether it has to be called one in part."""
    fall = visit.found_pct - visit.left_pct
    return visit.left_pct >= EMPTY_PCT + UNCLEAR_PCT and fall >= PARTLY_FALL + UNCLEAR_PCT


def match(found: list[Window], said: list[Said]) -> dict[int, list[Said]]:
    """To each window, by its place, what was said in it; each saying belongs to the latest visit that it may mean.

    A visit that nothing was said of yet goes before one that has its word: one to one.
    """
    given: dict[int, list[Said]] = {}
    for event in said:
        fits = [n for n, window in enumerate(found) if window.from_ms <= event.at_ms <= window.to_ms]
        free = [n for n in fits if n not in given]
        if fits:
            given.setdefault((free or fits)[-1], []).append(event)
    return given


def judge_emptyings(truth: Truth, story: Story, ears: Mapping[str, Ear], tally: Tally) -> None:
    """Recall and precision of ``emptied``, one visit one event, and what was closed by an emptying that was none."""
    wholly, partly = story.events["emptied"], story.events["partly_emptied"]
    for site in truth.of_kind("bin"):
        ear, curve = ears.get(site.asset, Ear()), truth.levels.get(site.asset, Curve(()))
        lies = [lie for lie in truth.lies if lie.asset == site.asset and lie.name in LASTING]
        found = windows(truth.visits[site.asset], site, ear, truth.ends_ms)
        said = sorted([*wholly[site.asset], *partly[site.asset]], key=lambda event: event.at)
        given = match(found, said)
        for number, window in enumerate(found):
            _judge_visit(site.asset, window, given.get(number, []), lies, tally)
        told = {id(event) for events in given.values() for event in events}
        for event in said:
            if id(event) not in told and not _wrong_at(lies, event.at_ms):
                kept = f"{event.event}, {curve.at(event.at_ms):.0f} % in it"
                tally.of(f"{event.event}.precision").add(hit=False, case=name_case(site.asset, event.at_ms, kept))
        _judge_closings(site.asset, curve, found, story, tally)


def _wrong_at(lies: Iterable[Span], at_ms: Millis) -> bool:
    """Whether the sensor is more than 8 points wrong for good: what it says of visits is set apart."""
    return any(lie.wrong_ms is not None and lie.wrong_ms <= at_ms < lie.to_ms for lie in lies)


def _judge_visit(asset: str, window: Window, said: list[Said], lies: list[Span], tally: Tally) -> None:
    """What was said of one visit."""
    visit = window.visit
    names = [event.event for event in said]
    if _wrong_at(lies, visit.at_ms):
        if window.due and is_emptied(visit):
            tally.of("emptied.recall_lying").add(hit="emptied" in names)
        return
    case = name_case(asset, visit.at_ms, f"{visit.found_pct:.0f} → {visit.left_pct:.0f} %, said: {names}")
    for event, must, fits in (
        ("emptied", is_emptied(visit), visit.left_pct < EMPTY_PCT + UNCLEAR_PCT),
        ("partly_emptied", is_partly(visit), visit.left_pct > EMPTY_PCT - UNCLEAR_PCT),
    ):
        times = [said_one.at_ms for said_one in said if said_one.event == event]
        if window.due and must:
            delay_ms = max(0, times[0] - visit.at_ms) if times else None
            tally.of(f"{event}.recall").add(hit=bool(times), delay_ms=delay_ms, case="" if times else case)
        if visit.found_pct < CONTENT_PCT:
            continue
        for number in range(len(times)):
            is_first = number == 0 and fits
            tally.of(f"{event}.precision").add(hit=is_first, case="" if is_first else case)
    if window.due and said:
        tally.of("emptied.one_event").add(hit=len(said) == 1, case="" if len(said) == 1 else case)


def _judge_closings(asset: str, curve: Curve, found: list[Window], story: Story, tally: Tally) -> None:
    """Alerts that an emptying closed, and whether it was still over two thirds then."""
    for episode in story.on(asset, *LINES):
        if episode.over_by != "emptied":
            continue
        at_ms = episode.over_ms
        came = any(window.from_ms <= at_ms <= window.to_ms and window.visit.left_pct < 50 for window in found)
        still = not came and curve.at(at_ms) > LINES["over_two_thirds"]
        tally.of("emptied.closed_over_line").add(hit=still, case=name_case(asset, at_ms, episode.rule) if still else "")


# --- lines -----------------------------------------------------------------------------------------------------------


class Over(NamedTuple):
    """A stretch over a line: since when it is over, since when it has to be said, and until when it is."""

    crossed_ms: Millis
    due_ms: Millis
    to_ms: Millis


def stretches(curve: Curve, line: float, ends_ms: Millis) -> list[Over]:
    """Stretches that came ``DUE_ABOVE`` points above a line; they end where the level is below the line again."""
    found: list[Over] = []
    crossed_ms = due_ms = NEVER
    for at_ms, value in zip(curve.at_ms, curve.values, strict=True):
        if value < line:
            if due_ms != NEVER:
                found.append(Over(crossed_ms, due_ms, at_ms))
            crossed_ms = due_ms = NEVER
            continue
        crossed_ms = min(crossed_ms, at_ms)
        if value >= line + DUE_ABOVE:
            due_ms = min(due_ms, at_ms)
    if due_ms != NEVER:
        found.append(Over(crossed_ms, due_ms, ends_ms))
    return found


def judge_lines(truth: Truth, story: Story, ears: Mapping[str, Ear], tally: Tally) -> None:
    """Whether over_two_thirds and overflow were noticed, made sure, and not said of what was below."""
    hours = bin_hours(truth)
    wrong: dict[tuple[str, str], list[str]] = {(rule, kind): [] for rule in LINES for kind in FALSE}
    for rule, line in LINES.items():
        for site in truth.of_kind("bin"):
            curve, ear = truth.levels.get(site.asset, Curve(())), ears.get(site.asset, Ear())
            episodes = story.on(site.asset, rule)
            lies = [lie for lie in truth.lies if lie.asset == site.asset and lie.name in LASTING]
            for over in stretches(curve, line, truth.ends_ms):
                if not _wrong_at(lies, over.due_ms):
                    _judge_stretch(rule, site.asset, over, ear, episodes, tally)
            for episode in episodes:
                kind = tell_false(episode, site, curve, line)
                case = name_case(site.asset, episode.raised_ms, f"{rule}, {curve.at(episode.raised_ms):.0f} % in it")
                tally.of(f"{rule}.precision").add(hit=not kind, case=case if kind else "")
                if kind:
                    wrong[rule, kind].append(case)
    for (rule, kind), cases in wrong.items():
        tally.rate(f"{rule}.{kind}", cases, hours)
    for kind in FALSE:
        tally.rate(f"lines.{kind}", [case for rule in LINES for case in wrong[rule, kind]], hours)


def _judge_stretch(rule: str, asset: str, over: Over, ear: Ear, episodes: list[SaidEpisode], tally: Tally) -> None:
    """One stretch over a line: noticed by the second usable reading, and then sure by the fourth one more."""
    by_ms = ear.nth_usable(NOTICED_BY, over.due_ms)
    if by_ms is None or by_ms >= over.to_ms:
        return  # nobody could see it
    noticed = [each for each in episodes if each.stands_in(over.due_ms, by_ms)]
    case = name_case(asset, over.due_ms, rule)
    delay_ms = max(0, noticed[0].raised_ms - over.crossed_ms) if noticed else None
    tally.of(f"{rule}.noticed").add(hit=bool(noticed), delay_ms=delay_ms, case="" if noticed else case)
    if not noticed:
        return
    sure_ms = min(each.sure_ms for each in noticed)
    limit_ms = ear.nth_usable(SURE_BY + 1, max(noticed[0].raised_ms, over.due_ms))
    if limit_ms is None or (limit_ms >= over.to_ms and sure_ms == NEVER):
        return  # it was over before it could be made sure
    hit = sure_ms <= limit_ms
    tally.of(f"{rule}.sure").add(
        hit=hit, delay_ms=max(0, sure_ms - over.crossed_ms) if hit else None, case="" if hit else case
    )


def tell_false(episode: SaidEpisode, site: SiteLine, curve: Curve, line: float) -> str:
    """``false_sure`` or ``false_unsure`` where the level stays 8 points under the line for 2 h, else nothing.

    It counts from two intervals before. One that becomes sure only later is a false sure one where it is still so then.
    """
    interval_ms = round(site.interval_s * 1000)

    def is_below(from_ms: Millis, at_ms: Millis) -> bool:
        return max(curve.within(from_ms - 2 * interval_ms, at_ms + FALSE_WITHIN_MS)) < line - FALSE_BELOW

    if not is_below(episode.about_ms, episode.raised_ms):
        return ""
    if episode.sure_ms == NEVER or episode.sure_ms > episode.over_ms:
        return "false_unsure"
    return "false_sure" if is_below(episode.sure_ms, episode.sure_ms) else "false_unsure"


def judge_line_texts(truth: Truth, story: Story, tally: Tally) -> None:
    """Texts that speak of nothing but alerts of lines that were false, by rule and all together."""
    sites = {site.asset: site for site in truth.of_kind("bin")}
    hours = bin_hours(truth)
    wrong: dict[str, list[str]] = {rule: [] for rule in LINES}
    for text in story.texts:
        about = [story.episodes[name] for name in text.episodes if name in story.episodes]
        about = [episode for episode in about if episode.rule in LINES and episode.asset in sites]
        if about and all(
            tell_false(each, sites[each.asset], truth.levels.get(each.asset, Curve(())), LINES[each.rule])
            for each in about
        ):
            wrong[about[0].rule].append(name_case(about[0].asset, text.at_ms, f"{about[0].rule} to {text.to}"))
    for rule, cases in wrong.items():
        tally.rate(f"{rule}.false_texts", cases, hours)
    tally.rate("lines.false_texts", [case for cases in wrong.values() for case in cases], hours)


def bin_hours(truth: Truth) -> float:
    """How many hours of bins the run has."""
    return len(truth.of_kind("bin")) * (truth.ends_ms - truth.begins_ms) / HOUR_MS


# --- fire and hot ash ------------------------------------------------------------------------------------------------


def judge_fires(truth: Truth, story: Story, ears: Mapping[str, Ear], tally: Tally) -> None:
    """Fires at the first sample that shows one; false ones, and false hot ash."""
    spans = [fault for fault in truth.faults if fault.name in {"fire", "hot_ash"}]
    for fault in spans:
        _judge_heat(fault, story, ears.get(fault.asset, Ear()), tally)
    hours = bin_hours(truth)
    for rule in ("fire", "hot_ash"):
        wrong = [episode for episode in story.of_rule(rule) if not is_hot(episode, spans)]
        precision = tally.of(f"{rule}.precision")
        precision.of += len(story.of_rule(rule))
        precision.hits += len(story.of_rule(rule)) - len(wrong)
        tally.rate(f"{rule}.false", [name_case(each.asset, each.raised_ms, rule) for each in wrong], hours)
        texts = [
            name_case(text.asset, text.at_ms, f"{rule} to {text.to}")
            for text in story.texts
            if (about := [story.episodes[name] for name in text.episodes if name in story.episodes])
            and all(each.rule == rule and not is_hot(each, spans) for each in about)
        ]
        tally.rate(f"{rule}.false_texts", texts, hours)


def is_hot(episode: SaidEpisode, spans: Iterable[Span]) -> bool:
    """Whether there is a fire or hot ash when it is raised; where ash is hot enough both words are right."""
    return any(
        span.asset == episode.asset
        and span.from_ms <= episode.raised_ms
        and episode.about_ms <= span.to_ms + HOT_AFTER_MS
        for span in spans
    )


def shown_ms(fault: Span, ear: Ear) -> Millis | None:
    """When the first sample came that shows a fire: a flag, or 75 °C that are no reset of the thermometer."""
    for sample in ear.samples:
        if fault.from_ms <= sample.taken_ms <= fault.to_ms:
            heat = sample.values.temperature_c
            if sample.values.fire_flag or (heat is not None and heat >= FIRE_C and heat not in RESETS_C):
                return sample.received_ms
    return None


def _judge_heat(fault: Span, story: Story, ear: Ear, tally: Tally) -> None:
    """One fire or one load of ash."""
    rules = ("fire",) if fault.name == "fire" else ("hot_ash", "fire")
    by_ms = shown_ms(fault, ear)
    own = [
        each for each in story.on(fault.asset, *rules) if fault.from_ms <= each.raised_ms <= fault.to_ms + HOT_AFTER_MS
    ]
    if fault.name == "hot_ash":
        hit = bool(own)
        tally.of("hot_ash.recall").add(hit=hit, case="" if hit else name_case(fault.asset, fault.from_ms, "hot_ash"))
        return
    if by_ms is None:
        return  # no sample showed it
    behind = [each for each in story.on(fault.asset, "fire") if each.raised_ms < fault.from_ms and each.over_ms > by_ms]
    tally.of("fire.behind").add(
        hit=bool(behind), case=name_case(fault.asset, by_ms, "behind an unreset one") if behind else ""
    )
    if behind:
        return
    hit = any(each.raised_ms <= by_ms for each in own)
    delay_ms = max(0, own[0].raised_ms - fault.from_ms) if own else None
    tally.of("fire.recall").add(hit=hit, delay_ms=delay_ms, case="" if hit else name_case(fault.asset, by_ms, "fire"))
