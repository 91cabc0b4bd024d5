"""Boards, their folder, their data sources and the episodes on them, put into Grafana by its uid routes and no other.

What is there already is left alone, so that pushing twice sends no write. The world's trouble comes out as a sentence.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlsplit

from grafana_api.grafana_api import GrafanaAPI, GrafanaException

from dashboards.annotations import TAG, Closed, Episode, Opened, oldest_ms, owed
from dashboards.committed import documents
from dashboards.fingerprint import BoardState, Marks, mark, stamped, standing
from dashboards.sources import Document, Installation
from telemetry.reading import Millis
from telemetry.tls_faults import TlsEnd, TlsFault, TlsTrouble, tls_fault, worded

FIRST_ORGANISATION: Final = 1
"""The organisation that every Grafana begins with, and that file provisioning means."""
_ORGANISATION: Final = "X-Grafana-Org-Id"
FOLDER: Final = "cunjing"
FOLDER_TITLE: Final = "村净"
ANSWERS_WITHIN_S: Final = 15.0
MOST_NOTES: Final = 10_000
REMEMBERED_S: Final = 6.0
"""Grafana asks a data source by what it remembers of it, for five seconds after it was changed."""
MESSAGE: Final = "cunjing boards push"
_CHANGED_MEANWHILE: Final = (409, 412)


class GrafanaUnserved(Exception):  # noqa: N818 -- a state of the world, said in a sentence
    """Grafana did not do it; the text says why and what to do. ``status`` is 0 where it did not answer."""

    def __init__(self, sentence: str, status: int = 0, said: Mapping[str, Any] | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.said = said or {}


class PushStep(NamedTuple):
    """One thing that was looked at: whether it had to be written, whether it is as it should be now, and a sentence."""

    changed: bool
    said: str
    is_well: bool = True


@dataclass(frozen=True)
class GrafanaAccess:
    """Where Grafana is and how one gets in; ``secret_file`` is what a person has to look at when it does not let us."""

    url: str
    secret: str
    secret_file: str
    username: str | None = None
    ca_file: str | None = None
    org_id: int | None = None
    """The organisation that has the boards. A user's is the first where nothing is said: what he looks at in his
    browser is no wish of his that the boards be there. A token belongs to one organisation and cannot go elsewhere."""

    @property
    def organisation(self) -> int | None:
        """The one that is asked for; ``None`` is the token's own."""
        return self.org_id or (FIRST_ORGANISATION if self.username is not None else None)


class Grafana:
    """One Grafana under one identity; ``writes`` counts what it was asked to change."""

    def __init__(self, entrance: GrafanaAccess, answers_within_s: float = ANSWERS_WITHIN_S) -> None:
        at = urlsplit(entrance.url)
        self._entrance = entrance
        self._api = GrafanaAPI(
            entrance.secret if entrance.username is None else (entrance.username, entrance.secret),
            host=at.hostname or "",
            port=at.port,
            url_path_prefix=f"{at.path.strip('/')}/" if at.path.strip("/") else "",
            protocol=at.scheme,
            verify=entrance.ca_file or True,
            timeout=answers_within_s,
        )
        self._api.s.trust_env = False
        if entrance.organisation is not None:
            self._api.s.headers[_ORGANISATION] = str(entrance.organisation)
        self.url = entrance.url
        self.writes = 0

    def get(self, path: str, wish: str) -> Any:  # noqa: ANN401 -- a stranger's JSON
        """What is there, ``None`` where there is nothing; ``wish`` finishes “may not …”."""
        try:
            return self._asked("GET", path, wish)
        except GrafanaUnserved as trouble:
            if trouble.status == 404:  # noqa: PLR2004 -- HTTP's “not found”
                return None
            raise

    def organisation(self) -> PushStep | None:
        """Where all of it is put, by name; ``None`` if it is hidden.

        ``GrafanaUnserved`` where we are not let in there.
        """
        wanted = self._entrance.organisation
        try:
            ours = self._organisations()
        except GrafanaUnserved as trouble:
            if trouble.status == 403:  # noqa: PLR2004 -- HTTP's “forbidden”; whatever else is asked says whose right it is
                return None
            raise
        if not ours:
            return None
        found = next((name for number, name in ours.items() if wanted in {None, number}), None)
        if found is not None:
            return PushStep(changed=False, said=f"Grafana's organisation is {found}")
        who, remedy = f"the token in {self._entrance.secret_file}", "name a token of that one"
        if self._entrance.username is not None:
            who, remedy = f"the user {self._entrance.username}", "make the user a member there"
        where = f"{who} is not in Grafana's organisation {wanted}, but in {', '.join(ours.values())}"
        raise GrafanaUnserved(f"{where}; {remedy}, or correct [grafana] org_id")

    def _organisations(self) -> dict[int, str]:
        """Those that we belong to, by number: a user's may be many, a token has one."""
        if self._entrance.username is None:
            found = [self.get("/org", "see its organisation")]
        else:
            found = [
                {"id": each.get("orgId"), "name": each.get("name")}
                for each in self.get("/user/orgs", "see its organisations") or ()
                if isinstance(each, dict)
            ]
        return {each["id"]: f"{each['name']} ({each['id']})" for each in found if each and each.get("id")}

    def write(self, method: str, path: str, body: Document, wish: str) -> Any:  # noqa: ANN401 -- as above
        """Changes something."""
        self.writes += 1
        return self._asked(method, path, wish, body)

    def _asked(self, method: str, path: str, wish: str, body: Document | None = None) -> Any:  # noqa: ANN401 -- as above
        try:
            return getattr(self._api, method)(path, json=body)
        except GrafanaException as refusal:
            raise self._refused(refusal, wish) from None
        except ValueError:
            remedy = "correct [grafana] url; a proxy's log-in page answers like this too"
            raise GrafanaUnserved(f"what answers at {self._entrance.url} is not Grafana; {remedy}") from None
        except OSError as error:
            if (fault := self._untrusted(error)) is not None:
                sentence = f"Grafana cannot be reached at {self._entrance.url}: {fault.state}; {fault.remedy}"
                raise GrafanaUnserved(sentence) from None
            why = str(error.__cause__ or error).rpartition(": ")[2].strip("'\")>") or type(error).__name__
            remedy = "start it, or correct [grafana] url"
            raise GrafanaUnserved(f"Grafana does not answer at {self._entrance.url} ({why}); {remedy}") from None

    def _untrusted(self, error: OSError) -> TlsFault | None:
        """What is wrong with TLS, if that is it; a CA file that is not there is an error without a number."""
        end, ca_file = (
            TlsEnd(self._entrance.url, "[grafana] url", "[grafana] ca_file", "http://"),
            self._entrance.ca_file,
        )
        if ca_file is not None and "CA certificate bundle" in str(error):
            return worded(TlsTrouble.CA_MISSING, end, ca_file)
        return tls_fault(error, end, ca_file or "")

    def _refused(self, refusal: GrafanaException, wish: str) -> GrafanaUnserved:
        at, status, said = self._entrance, int(refusal.status_code), refusal.response
        told = str(said.get("message", "")) if isinstance(said, dict) else str(said)[:200]
        who = f"the user {at.username}" if at.username is not None else f"the token in {at.secret_file}"
        match status:
            case 401:
                remedy = f"put a valid secret into {at.secret_file}"
                sentence = f"Grafana at {at.url} does not know {who}; {remedy}"
            case 403:
                role = "Editor" if "annotations" in wish else "Admin"
                sentence = f"{who} may not {wish} ({told}); give it the role {role} in Grafana"
            case _ if status >= 500:  # noqa: PLR2004 -- HTTP's trouble of the server's own
                sentence = f"Grafana is in trouble: HTTP {status} ({told}); look at its log and try again"
            case _:
                sentence = (
                    f"Grafana does not {wish}: HTTP {status} ({told}); push with this version's boards, unchanged"
                )
        return GrafanaUnserved(sentence, status, said if isinstance(said, dict) else None)


def pushed(
    grafana: Grafana, installation: Installation, rest: Callable[[float], object], *, force: bool = False
) -> Iterator[PushStep]:
    """Folder, data sources and boards, step by step; ``GrafanaUnserved`` where it cannot go on.

    ``rest`` waits so many seconds: a data source that was changed is well or not only when Grafana has noticed.
    """
    if (organisation := grafana.organisation()) is not None:
        yield organisation
    yield _folder(grafana)
    sources = installation.sources()
    before = [grafana.get(f"/datasources/uid/{source['uid']}", "read data sources") for source in sources]
    steps = [_source(grafana, source, there) for source, there in zip(sources, before, strict=True)]
    yield from steps
    for document in documents().values():
        yield _board(grafana, installation.filled(document), force=force)
    if any(step.changed and there is not None for step, there in zip(steps, before, strict=True)):
        rest(REMEMBERED_S)
    for source in sources:
        yield health(grafana, source)


def sync_annotations(grafana: Grafana, episodes: Sequence[Episode], now_ms: Millis) -> PushStep:
    """Opens and closes what is owed of these episodes; never raises for the world's trouble, but says it.

    It may be called as often as one likes: without anything new it asks once and writes nothing.
    """
    opened = closed = 0
    since_ms = oldest_ms(episodes, now_ms)
    path = f"/annotations?from={since_ms}&to={now_ms + 1}&tags={TAG}&limit={MOST_NOTES}"
    try:
        there = grafana.get(path, "read annotations") or []
        for deed in owed(episodes, there):
            match deed:
                case Opened(body):
                    grafana.write("POST", "/annotations", body, "write annotations")
                    opened += 1
                case Closed(number, body):
                    grafana.write("PATCH", f"/annotations/{number}", body, "write annotations")
                    closed += 1
    except GrafanaUnserved as trouble:
        return PushStep(changed=opened + closed > 0, said=str(trouble), is_well=False)
    said = f"{len(episodes)} episodes of P1 and P2 on the boards; {opened} opened, {closed} closed"
    return PushStep(changed=opened + closed > 0, said=said)


def _folder(grafana: Grafana) -> PushStep:
    if grafana.get(f"/folders/{FOLDER}", "read folders") is not None:
        return PushStep(changed=False, said=f"the folder {FOLDER_TITLE} is there")
    grafana.write("POST", "/folders", {"uid": FOLDER, "title": FOLDER_TITLE}, "make folders")
    return PushStep(changed=True, said=f"the folder {FOLDER_TITLE} made")


def _source(grafana: Grafana, wanted: Document, there: Document | None) -> PushStep:
    uid = wanted["uid"]
    if there is None:
        grafana.write("POST", "/datasources", wanted, "make data sources")
        return PushStep(changed=True, said=f"the data source {uid} made")
    if there.get("readOnly"):
        return PushStep(changed=False, said=f"the data source {uid} comes from a file of Grafana's and is left alone")
    if _is_as_wanted(there, wanted):
        return PushStep(changed=False, said=f"the data source {uid} is as it should be")
    grafana.write("PUT", f"/datasources/uid/{uid}", wanted, "change data sources")
    return PushStep(changed=True, said=f"the data source {uid} corrected")


def _is_as_wanted(there: Document, wanted: Document) -> bool:
    """As far as Grafana tells: of a secret it says only that there is one, so its mark has to agree."""
    plain = {key: value for key, value in wanted.items() if key not in ("jsonData", "secureJsonData")}
    settings, secrets = there.get("jsonData") or {}, there.get("secureJsonFields") or {}
    return (
        all(there.get(key) == value for key, value in plain.items())
        and all(settings.get(key) == value for key, value in wanted["jsonData"].items())
        and all(secrets.get(key) for key in wanted["secureJsonData"])
    )


def health(grafana: Grafana, source: Document) -> PushStep:
    """Whether Grafana reads InfluxDB through it; ``GrafanaUnserved`` when Grafana itself does not let us ask."""
    uid, url = source["uid"], source["url"]
    try:
        said = grafana.get(f"/datasources/uid/{uid}/health", "ask a data source")
    except GrafanaUnserved as trouble:
        if trouble.status in (0, 401, 403) or not trouble.said:
            raise
        said = trouble.said
    said = said or {"message": "it is not there any more"}
    if said.get("status") == "OK":
        return PushStep(changed=False, said=f"through {uid} Grafana reads InfluxDB")
    remedy = (
        f"{url} must be right as seen from Grafana ([grafana] influxdb_url); `cunjing influx setup` renews the token"
    )
    return PushStep(changed=False, said=f"{uid} cannot read InfluxDB: {said.get('message')}; {remedy}", is_well=False)


class StoredBoard(NamedTuple):
    """A board as Grafana has it; ``standing`` is ``None`` where there is none."""

    title: str
    standing: BoardState | None
    version: int | None = None
    comes_from_a_file: bool = False


def board_there(grafana: Grafana, wanted: Document) -> StoredBoard:
    """How the board in Grafana stands to the one that is wanted."""
    title, uid = wanted["title"], wanted["uid"]
    try:
        found = grafana.get(f"/dashboards/uid/{quote(uid)}", "read boards")
    except GrafanaUnserved as trouble:
        if trouble.status != 406:  # noqa: PLR2004 -- what Grafana 13 says of a board that was saved from its own page
            raise
        return StoredBoard(title, BoardState.EDITED)
    if found is None:
        return StoredBoard(title, None)
    there, meta = found["dashboard"], found.get("meta", {})
    return StoredBoard(title, standing(there, wanted), there.get("version"), bool(meta.get("provisioned")))


def _board(grafana: Grafana, wanted: Document, *, force: bool) -> PushStep:
    title, there, version, comes_from_a_file = board_there(grafana, wanted)
    if comes_from_a_file:
        return PushStep(changed=False, said=f"the board {title} comes from a file of Grafana's and is left alone")
    match there:
        case None:
            _save(grafana, wanted, version=None, overwrite=False)
            return PushStep(changed=True, said=f"the board {title} made")
        case BoardState.SAME:
            return PushStep(changed=False, said=f"the board {title} is as it should be")
        case BoardState.EDITED if not force:
            remedy = "save what you need of it under another name, then push with --force"
            return PushStep(
                changed=False, said=f"the board {title} was edited by hand and is left alone; {remedy}", is_well=False
            )
        case _:
            _save(grafana, wanted, version=version, overwrite=force)
            return PushStep(changed=True, said=f"the board {title} renewed")


def _save(grafana: Grafana, wanted: Document, *, version: int | None, overwrite: bool) -> None:
    """Saves the board with its marks; a second time only if Grafana kept it in another form than it was given."""
    asked = kept = mark(wanted)
    uid = wanted["uid"]
    for _ in range(2):
        made = stamped(wanted, Marks(asked, kept)) | ({} if version is None else {"version": version})
        body = {"dashboard": made, "folderUid": FOLDER, "message": MESSAGE, "overwrite": overwrite}
        try:
            grafana.write("POST", "/dashboards/db", body, f"save the board {wanted['title']}")
        except GrafanaUnserved as trouble:
            raise _unsaved(trouble, wanted["title"]) from None
        found = grafana.get(f"/dashboards/uid/{quote(uid)}", "read boards")
        if found is None:
            raise GrafanaUnserved(f"the board {wanted['title']} was deleted in Grafana while it was pushed; push again")
        version, kept = found["dashboard"].get("version"), mark(found["dashboard"])
        if standing(found["dashboard"], wanted) is BoardState.SAME:
            return
    raise GrafanaUnserved(f"Grafana keeps the board {wanted['title']} in another form each time; push again, or ask us")


def _unsaved(trouble: GrafanaUnserved, title: str) -> GrafanaUnserved:
    if trouble.status == 404:  # noqa: PLR2004 -- HTTP's “not found”
        return GrafanaUnserved(
            f"the board {title} or its folder was deleted in Grafana while it was pushed; push again", 404
        )
    if trouble.status not in _CHANGED_MEANWHILE:
        return trouble
    if trouble.said.get("status") == "name-exists":
        remedy = "rename that one in Grafana, then push again"
        return GrafanaUnserved(f"the folder {FOLDER_TITLE} has another board called {title}; {remedy}", trouble.status)
    return GrafanaUnserved(f"the board {title} was changed in Grafana while it was pushed; push again", trouble.status)
