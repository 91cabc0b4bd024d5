"""What ``doctor`` asks of a Grafana that has our boards: whether it lets us, reads InfluxDB, and shows what we made.

It writes nothing: an annotation without a text is refused either way, and how it is refused tells whether we may write.
"""

from collections.abc import Iterator
from typing import Final

from dashboards.committed import documents
from dashboards.fingerprint import BoardState
from dashboards.push import Grafana, GrafanaUnserved, PushStep, StoredBoard, board_there, health
from dashboards.sources import Installation

REFUSED_FOR_ITS_TEXT: Final = (400, 422)
_PUSH: Final = "run `cunjing boards push`"


def inspected(grafana: Grafana, installation: Installation) -> Iterator[PushStep]:
    """Each part of it in turn, as a sentence; where it does not answer or know us, that alone. Raises nothing."""
    try:
        if (organisation := grafana.organisation()) is not None:
            yield organisation
        yield _notes(grafana)
        for source in installation.sources():
            yield health(grafana, source)
        yield from _boards(grafana, installation)
    except GrafanaUnserved as trouble:
        yield PushStep(changed=False, said=str(trouble), is_well=False)


def _notes(grafana: Grafana) -> PushStep:
    """Whether episodes may be put on the boards.

    ``GrafanaUnserved`` when Grafana does not answer or does not know us.
    """
    try:
        grafana.write("POST", "/annotations", {"text": "", "tags": []}, "write annotations")
    except GrafanaUnserved as trouble:
        if trouble.status in REFUSED_FOR_ITS_TEXT:
            return PushStep(changed=False, said=f"Grafana answers at {grafana.url} and takes episodes")
        if trouble.status == 403:  # noqa: PLR2004 -- HTTP's “forbidden”
            return PushStep(changed=False, said=str(trouble), is_well=False)
        raise
    return PushStep(changed=False, said=f"Grafana answers at {grafana.url}")


def _boards(grafana: Grafana, installation: Installation) -> Iterator[PushStep]:
    boards = [installation.filled(document) for document in documents().values()]
    amiss = [step for board in boards if (step := _amiss(board_there(grafana, board))) is not None]
    yield from amiss
    if not amiss:
        yield PushStep(changed=False, said=f"all {len(boards)} boards are as this version makes them")


def _amiss(found: StoredBoard) -> PushStep | None:
    """What is wrong with one board; nothing for one that comes from a file, which Grafana renews by itself."""
    if found.comes_from_a_file or found.standing is BoardState.SAME:
        return None
    said = {
        None: f"the board {found.title} is not in Grafana; {_PUSH}",
        BoardState.OLDER: f"the board {found.title} is of another version or configuration; {_PUSH}",
        BoardState.EDITED: f"the board {found.title} was edited by hand; save what you need of it under another name,"
        " then run `cunjing boards push --force`",
    }[found.standing]
    return PushStep(changed=False, said=said, is_well=False)
