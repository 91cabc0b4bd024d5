"""A real gammu-smsd with its dummy modem for tests, on private folders: started, stopped, and looked at in its tables.

It dies with the test that started it, also when the test is killed. What the product does with it is not here.
"""

import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any, Final

from gateway.embedded_broker import dies_with_us

TABLES: Final = Path("/usr/share/doc/gammu-smsd/examples/sqlite.sql")
DRIVER: Final = Path("/usr/lib")
WITHIN_S: Final = 240.0
LOOK_EVERY_S: Final = 0.05


def find_smsd() -> str | None:
    """The program, where it and its SQLite driver are installed."""
    program = shutil.which("gammu-smsd")
    drivers = any(DRIVER.glob("*/dbd/libdbdsqlite3.so"))
    return program if program and drivers and _tables() is not None else None


def _tables() -> str | None:
    packed = TABLES.with_name(f"{TABLES.name}.gz")
    if TABLES.exists():
        return TABLES.read_text("utf-8")
    return (
        None
        if not packed.exists()
        else subprocess.run(["gzip", "-dc", packed], capture_output=True, check=True, text=True).stdout
    )


class Smsd:
    """One daemon with one dummy modem in one folder; it may be stopped and started again on the same tables."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "smsd.db"
        self._modem = folder / "dummy"
        self._process: subprocess.Popen[bytes] | None = None
        self._received = 0
        for box in range(1, 6):
            (self._modem / "sms" / str(box)).mkdir(parents=True)
        tables = _tables()
        assert tables is not None
        with closing(sqlite3.connect(self.database)) as made:
            made.executescript(tables)
        (folder / "smsdrc").write_text(
            f"""
[gammu]
model = dummy
connection = none
port = {self._modem}
gammuloc = /dev/null
[smsd]
service = sql
driver = sqlite3
dbdir = {folder}/
database = {self.database.name}
deliveryreport = sms
phoneid = dummy
commtimeout = 1
receivefrequency = 1
statusfrequency = 1
checksecurity = 0
logfile = {folder / "smsd.log"}
debuglevel = 1
""",
            "utf-8",
        )

    def configure(self, lines: str) -> None:
        """Lines more in its file; they count from its next start on."""
        with (self.folder / "smsdrc").open("a", encoding="utf-8") as file:
            file.write(f"{lines}\n")

    def start(self) -> None:
        """Starts it and waits until it has found its modem."""
        self._process = subprocess.Popen(
            [*dies_with_us(), find_smsd() or "gammu-smsd", "-c", str(self.folder / "smsdrc")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.until(lambda: bool(self.rows("SELECT 1 FROM phones WHERE TimeOut > datetime('now')")))

    def stop(self) -> None:
        """Ends it; what waits in its outbox waits."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(120)
            self._process = None

    def rows(self, query: str, *given: object) -> list[tuple[Any, ...]]:
        """Rows of its tables, read by a connection of our own."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=120)) as look:
            return look.execute(query, given).fetchall()

    def until(self, reached: Callable[[], bool], within_s: float = WITHIN_S) -> None:
        """Waits for something that the daemon does."""
        ends_s = monotonic() + within_s
        while not reached():
            assert monotonic() < ends_s, f"waited {within_s} s in vain: {self.last_words()}"
            Event().wait(LOOK_EVERY_S)

    def report(self, row: int, *, arrived: bool = True, spelled: str = "") -> None:
        """The network says what became of a text: a report lands in the modem, ``spelled`` as the network does."""
        number, sent = self.rows("SELECT DestinationNumber, SendingDateTime FROM sentitems WHERE ID = ?", row)[0]
        number = spelled or number
        at = str(sent).replace("-", "").replace(":", "").replace(" ", "T")
        # GSM 03.40 TP-Status: 0x00 arrived, 0x46 its validity is over
        words, status = ("Delivered", 0) if arrived else ("Failed", 0x46)
        self._receive(
            f'SMSC = "123456"\nState = UnRead\nNumber = "{number}"\nPDU = Status_Report\nDateTime = {at}\n'
            f"SMSCDateTime = {at}\nCoding = Default_No_Compression\nLength = {len(words)}\nClass = -1\n"
            f"Text00 = {words.encode('utf-16-be').hex().upper()}\nMessageReference = 255\nDeliveryStatus = {status}\n"
        )

    def reply(self, phone: str, text: str) -> None:
        """Somebody writes to us."""
        signs = text.encode("utf-16-be").hex().upper()
        lines = [signs[at : at + 200] for at in range(0, len(signs), 200)]
        shown = "".join(f"Text{place:02} = {line}\n" for place, line in enumerate(lines))
        self._receive(
            f'SMSC = "123456"\nState = UnRead\nNumber = "{phone}"\nPDU = Deliver\nDateTime = 20261122T080000\n'
            f"Coding = Unicode_No_Compression\nLength = {len(text)}\nClass = -1\nFolder = 1\n{shown}"
        )

    def _receive(self, body: str) -> None:
        """A text lands in the modem whole: smsd reads whatever it finds there."""
        self._received += 1
        made = self.folder / "arriving"
        made.write_text(f"; made by a test\n\n[SMSBackup000]\n{body}", "utf-8")
        made.replace(self._modem / "sms" / "1" / str(self._received))

    def last_words(self) -> str:
        """The end of its log."""
        log = self.folder / "smsd.log"
        return log.read_text("utf-8", "replace")[-3_000:] if log.exists() else "it logged nothing"
