"""``cunjing inventory check``: every fault of an inventory file. What a fault is, is decided in ``telemetry``."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.ending import Code, ends_with_a_sentence, print_lines, say


def check(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, metavar="FILE", help="The inventory, YAML.")],
) -> None:
    """Each fault with its place and remedy. File, line, row and field; warnings alone are no problem."""
    from gateway.imports import read
    from gateway.settings import SettingsFault
    from telemetry.inventory_fault import Severity

    with ends_with_a_sentence(SettingsFault):
        _, (inventory, faults) = read(file)
    print_lines(str(fault) for fault in faults)
    if inventory is None:
        errors = sum(fault.severity is Severity.ERROR for fault in faults)
        say(f"{file} cannot be used: {errors} to put right")
        raise typer.Exit(Code.PROBLEMS)
    say(f"{file} can be used: {len(inventory.assets)} assets, {len(inventory.devices)} devices")
