"""``cunjing sms test``: one text by the channels that are configured, and what became of it."""

import json

import pytest

from tests.gateway.cli.installation import Cunjing, Installation
from tests.smsd import Smsd


@pytest.fixture(autouse=True)
def configured(installation: Installation) -> None:
    installation.configure(more='[sms]\noutbox_folder = "outbox"\n')


def test_one_text_arrives_in_the_folder(cunjing: Cunjing, installation: Installation) -> None:
    said = cunjing("sms test cleaner-li --config gateway.toml")
    assert said.exit_code == 0, said.output
    assert "accepted by outbox" in said.stdout
    assert "delivered by outbox" in said.stdout
    (file,) = (installation.folder / "outbox").glob("*.json")
    assert "试发短信，不用回。" in json.loads(file.read_text("utf-8"))["text"]


def test_who_is_not_in_the_inventory_is_named(cunjing: Cunjing) -> None:
    said = cunjing("sms test nobody --config gateway.toml")
    assert said.exit_code == 1
    assert "no person 'nobody'" in said.output


def test_a_real_smsd_takes_it_and_its_receipt_is_waited_for(
    cunjing: Cunjing, installation: Installation, smsd: Smsd
) -> None:
    more = (
        f'[sms]\nthen = ["gammu"]\noutbox_folder = "gateway.toml/no"\n[channels.gammu]\ndatabase = "{smsd.database}"\n'
    )
    installation.configure(more=more)
    said = cunjing("sms test cleaner-li --config gateway.toml --seconds 0")
    assert "outbox did not take it: unwritable" in said.output
    assert "accepted by gammu" in said.stdout
    assert "no receipt came within 0 s" in said.stdout
    smsd.until(lambda: bool(smsd.rows("SELECT 1 FROM sentitems")))


def test_a_channel_that_needs_what_is_not_there_is_said_before_anything_is_sent(
    cunjing: Cunjing, installation: Installation
) -> None:
    installation.configure(more='[sms]\nthen = ["aliyun"]\n[channels.webhok]\nurl_file = "x"\n')
    said = cunjing("sms test cleaner-li --config gateway.toml")
    assert said.exit_code == 1
    assert "[channels.webhok]: no key of [sms] names it" in said.output
    installation.configure(more='[sms]\nthen = ["aliyun"]\n')
    assert "[channels.aliyun] signature: field required" in cunjing("sms test cleaner-li --config gateway.toml").output
