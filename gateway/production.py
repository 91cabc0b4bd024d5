"""What a production gateway does not start with: the secrets and the folder of a demo. And what it only remarks on.

The demo is told apart by the marks that it puts on what it makes. Nothing is changed here.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from gateway.desk.users import NAME, UserFile, UsersUnavailable
from gateway.embedded_broker import EMBEDDED_MARK
from gateway.settings import Settings, SettingsFault

DEMO_MARK: Final = "this-is-a-cunjing-demo"
"""The file that makes a folder a demo's: the next demo clears it."""


def refuse_a_demos(settings: Settings) -> None:
    """``SettingsFault`` with a sentence for each thing that a demo has left in the configuration."""
    if faults := list(_leftovers(settings)):
        raise SettingsFault(faults)


def remarks(settings: Settings) -> Iterator[str]:
    """What is the operator's choice, and worth a warning."""
    if settings.mqtt.username is None:
        remedy = "give the gateway and every device a user, and let the broker refuse whoever has none"
        yield f"[mqtt] names no username: whoever reaches {settings.mqtt.url} can send readings and read them; {remedy}"


def _leftovers(settings: Settings) -> Iterator[str]:
    password = None
    with suppress(SettingsFault):  # one that cannot be read is told where it is used
        password = settings.mqtt.read_password()
    if password is not None and password.startswith(EMBEDDED_MARK):
        remedy = "give the gateway a user and a password of its own at a broker of your own"
        where = "password" if settings.mqtt.password else f"password_file = {str(settings.mqtt.password_file)!r}"
        yield f"[mqtt] {where} holds a password that a demo made; {remedy}"
    folder = settings.journal.path.parent
    if (folder / DEMO_MARK).is_file():
        remedy = "name another [journal] path: the next demo clears this folder, and others may know its control.token"
        yield f"[journal] path = {str(settings.journal.path)!r} lies in a demo's folder; {remedy}"
    yield from _demo_users(folder)


def _demo_users(folder: Path) -> Iterator[str]:
    """A desk's users that were copied out of a demo: its visitor comes in without a password."""
    if not (folder / NAME).is_file():
        return
    try:
        visitors = [user.name for user in UserFile(folder / NAME).users() if user.demo]
    except UsersUnavailable as trouble:
        yield str(trouble)
        return
    for name in visitors:
        yield f"{folder / NAME} has the user {name!r} that a demo made; remove it: cunjing desk removeuser {name}"
