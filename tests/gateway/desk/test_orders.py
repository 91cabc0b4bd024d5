"""An absence and an extra round through the real loop, journal and courier: durable, told, there after a restart."""

from http import HTTPStatus
from pathlib import Path

import httpx

from tests.desk_gateway import desk_gateway
from tests.gateway.desk.conftest import MORNING, Visitor

PERMIT = {"Authorization": "Bearer hush"}


def test_what_the_dispatcher_writes_down_is_durable_and_who_stands_in_is_asked(tmp_path: Path) -> None:
    with desk_gateway(tmp_path, MORNING) as running:
        inventory = running.desk.present.inventory
        bins = next(asset for asset in inventory.assets.values() if asset.collection and asset.collection.rounds)
        away, stand_in, *_ = inventory.people
        absence = {"person": away, "stand_in": stand_in, "ends": "2026-11-26T00:00:00+08:00", "by": stand_in}
        extra = {"place": bins.id, "ends": "2026-11-24T09:00:00+08:00", "by": stand_in}
        with httpx.Client(base_url=running.url, trust_env=False, headers=PERMIT) as desk:
            added = desk.post("/api/v1/absences", json=absence)
            ordered = desk.post("/api/v1/extra-rounds", json=extra)
        running.settle()
        told = [(message.phone, message.text) for message in running.channel.sent]
    assert (added.status_code, ordered.status_code) == (HTTPStatus.CREATED, HTTPStatus.CREATED), added.text
    assert [(phone, "请您代管" in text) for phone, text in told] == [(inventory.phone_of[stand_in], True)]
    with desk_gateway(tmp_path, MORNING + 60_000) as again:
        with Visitor(base_url=again.url, trust_env=False) as visitor:
            visitor.log_in("lin")
            page = visitor.see("/audit").text
        assert f"请假 {inventory.people[away].name}" in page
        assert f"加收 {bins.short}" in page
        with httpx.Client(base_url=again.url, trust_env=False, headers=PERMIT) as desk:
            assert desk.get("/api/v1/absences").json()["absences"] == [added.json()]
            assert desk.get("/api/v1/extra-rounds").json()["extras"] == [ordered.json()]
        again.settle()
        assert again.channel.sent == []
