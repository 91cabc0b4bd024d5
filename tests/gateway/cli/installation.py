"""The files of a small installation, and what the command looks like to a test."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from typer.testing import Result

from gateway.journal.writer import Journal

COUNTY = Path(__file__).parents[2] / "golden" / "inventory" / "county.yaml"

Cunjing = Callable[..., Result]

CONFIG = """\
[mqtt]
url = "{broker}"
username = "{username}"
password_file = "{password_file}"
topics = ["cunjing/v1/+/+/+"]
[journal]
path = "data/journal.db"
[inventory]
path = "inventory.yaml"
[desk]
listen = "127.0.0.1:{port}"
"""


class Installation:
    """The files of a gateway under the working directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal_path = folder / "data" / "journal.db"
        (folder / "inventory.yaml").write_text(COUNTY.read_text("utf-8"), "utf-8")
        (folder / "mqtt.password").write_text("hush\n", "ascii")
        self.configure()

    def configure(
        self,
        broker: str = "mqtt://127.0.0.1:1",
        port: int = 1,
        username: str = "gateway",
        password_file: str = "mqtt.password",  # noqa: S107 the name of a file
        more: str = "",
    ) -> None:
        """Writes ``gateway.toml``, with further tables if need be; nobody ever listens on port 1."""
        text = CONFIG.format(broker=broker, port=port, username=username, password_file=password_file) + more
        (self.folder / "gateway.toml").write_text(text, "utf-8")

    @contextmanager
    def journal(self) -> Iterator[Journal]:
        """The journal, to write into."""
        with closing(Journal.open(self.journal_path)) as journal:
            yield journal
