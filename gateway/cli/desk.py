"""``cunjing desk``: who may log in. A password is asked for or read from a file, never given as an argument.

The users' file is the desk's own, beside the journal; it may be changed while the gateway runs.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gateway.cli.ending import (
    DEFAULT_CONFIG,
    Code,
    Config,
    county_of,
    ends_with_a_sentence,
    load_settings,
    print_lines,
    say,
)

if TYPE_CHECKING:
    from gateway.desk.users import UserFile
    from gateway.settings import Settings

ROLES: Final = ("viewer", "crew", "dispatcher", "admin")
_Name = Annotated[str, typer.Argument(metavar="NAME", help="The name to log in with.")]


def adduser(
    name: _Name,
    *,
    role: Annotated[str, typer.Option(metavar="|".join(ROLES), help="What they may do.")],
    person: Annotated[str, typer.Option(metavar="PERSON", help="Who they act as: an id of the inventory.")] = "",
    area: Annotated[str, typer.Option(metavar="AREA", help="See only this area; all of the county without.")] = "",
    password_file: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, metavar="FILE", help="Its first line; asked for without."),
    ] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Let somebody log in to the desk. One who is there already gets this role, area and password instead."""
    from gateway.clock import WallClock
    from gateway.desk.users import AuditRecord, User, UserRole, UsersUnavailable, WeakPassword, hash_password
    from gateway.journal.database import JournalUnavailable
    from gateway.settings import SettingsFault, read_secret

    if role not in ROLES:
        raise typer.BadParameter(f"it is one of {', '.join(ROLES)}", param_hint="--role")
    if not name.isprintable() or not 1 <= len(name) <= 64 or " " in name:  # noqa: PLR2004 as wide as the form's field
        raise typer.BadParameter("a name is 1 to 64 visible characters", param_hint="NAME")
    with ends_with_a_sentence(WeakPassword, UsersUnavailable, JournalUnavailable):
        settings = load_settings(config)
        inventory = county_of(settings)
        if person and person not in inventory.people:
            raise SettingsFault([f"--person {person}: the inventory has no such person"])
        if area and area not in inventory.areas:
            raise SettingsFault([f"--area {area}: the inventory has no such area"])
        given = None if password_file is None else read_secret(password_file, "--password-file")
        password = given or typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        users, now_ms = _users(settings), WallClock().now_ms()
        new = users.keep(User(name, UserRole(role), area, person), hash_password(password), now_ms)
        users.note(AuditRecord(now_ms, name, "", "user_kept", role))
    say(f"{name} may log in as {role} now" if new else f"{name} has a new password and is {role} now")
    if not person and role != "viewer":
        say("without --person they can look, but not act: what is done is signed by a person of the inventory")


def removeuser(name: _Name, *, config: Config = DEFAULT_CONFIG) -> None:
    """Somebody may log in no more, and is logged out."""
    from gateway.clock import WallClock
    from gateway.desk.users import AuditRecord, UsersUnavailable

    with ends_with_a_sentence(UsersUnavailable):
        users = _users(load_settings(config))
        known = users.remove(name)
        if known:
            users.note(AuditRecord(WallClock().now_ms(), name, "", "user_removed"))
    say(f"{name} may log in no more" if known else f"there is no user {name}")
    raise typer.Exit(Code.OK if known else Code.PROBLEMS)


def users(*, config: Config = DEFAULT_CONFIG) -> None:
    """Who may log in, as JSON lines."""
    from msgspec import json

    from gateway.desk.users import UsersUnavailable

    with ends_with_a_sentence(UsersUnavailable):
        found = _users(load_settings(config)).users()
    rows = ({"user": user.name, "role": user.role, "area": user.area, "person": user.person} for user in found)
    print_lines(json.encode(row).decode() for row in rows)


def _users(settings: "Settings") -> "UserFile":
    from gateway.desk.users import UserFile
    from gateway.settings import SettingsFault

    if not settings.journal.path.parent.is_dir():
        raise SettingsFault(
            [f"{settings.journal.path.parent} is not there; start the gateway once, or make the folder"]
        )
    return UserFile.beside(settings.journal.path)
