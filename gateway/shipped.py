"""The policy files that come with the program: who is told when and in which words; or an operator's own instead.

It finds files and reads them. What is right in them is decided in ``alerts``.
"""

from pathlib import Path
from typing import Final

from alerts.build import PolicyFiles
from gateway.files import read_text
from gateway.settings import Alerts

ESCALATION: Final = "escalation.yaml"
TEXTS: Final = "texts.zh-CN.yaml"
_BUILT_IN: Final = "rules.yaml"


def config_folder() -> Path:
    """Where they lie: inside the installed package, or ``config/`` of a source tree."""
    installed = Path(__file__).parent / "config"
    return installed if installed.is_dir() else Path(__file__).parents[1] / "config"


def policy_files(chosen: Alerts | None = None) -> PolicyFiles:
    """Rules, escalation and texts: the chosen files, else the shipped ones; the rules' defaults are built in.

    ``SettingsFault`` when a file cannot be read.
    """
    chosen = chosen or Alerts()
    escalation = chosen.escalation or config_folder() / ESCALATION
    texts = chosen.texts or config_folder() / TEXTS
    return PolicyFiles(
        rules=read_text(chosen.rules) if chosen.rules else "",
        escalation=read_text(escalation),
        texts=read_text(texts),
        rules_name=str(chosen.rules or _BUILT_IN),
        escalation_name=str(escalation),
        texts_name=str(texts),
    )
