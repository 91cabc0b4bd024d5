"""``[hooks]``: who may push, and what is said of a channel that nobody pushes to or a secret that can be guessed."""

from pathlib import Path

import pytest

from gateway import lines
from gateway.settings import SettingsFault, Sms

LONG = "0123456789abcdef0123"
TEMPLATE = {"code": "SMS_100000001", "text": "火警：${where}。", "variables": {"where": "{day}{place}"}}


def ways(folder: Path, hooks: dict[str, Path]) -> lines.Ways:
    for name in ("id", "secret"):
        (folder / name).write_text("hush\n", "ascii")
    own = {
        "signature": "湘阳环卫",
        "access_key_id_file": folder / "id",
        "access_key_secret_file": folder / "secret",
        "templates": {"fire": TEMPLATE},
    }
    sms = Sms.model_validate({"channel": "outbox", "outbox_folder": str(folder / "outbox"), "then": ["aliyun"]})
    return lines.Ways(sms, {"aliyun": own}, hooks)


def secret(folder: Path, said: str) -> Path:
    path = folder / "hook"
    path.write_text(said, "ascii")
    return path


def test_a_secret_of_its_own_lets_a_provider_push(tmp_path: Path) -> None:
    named = secret(tmp_path, f"{LONG}\n")
    opened = lines.opened(ways(tmp_path, {"aliyun": named}))
    assert opened.hooks["aliyun"].secret == LONG
    assert lines.opened(ways(tmp_path, {})).hooks == {}


@pytest.mark.parametrize(
    ("channel", "said", "fault"),
    [
        ("outbox", LONG, r"\[hooks\] outbox: no channel .* known are: aliyun"),
        ("gammu", LONG, r"\[hooks\] gammu: no channel"),
        ("aliyun", "short", "a secret has at least 20 letters"),
        ("aliyun", "0123456789abcdef/0123", "openssl rand"),
        ("aliyun", "", "is empty"),
    ],
)
def test_what_cannot_be_is_said_at_the_start_and_by_doctor(tmp_path: Path, channel: str, said: str, fault: str) -> None:
    chosen = ways(tmp_path, {channel: secret(tmp_path, said)})
    with pytest.raises(SettingsFault, match=fault):
        lines.opened(chosen)
