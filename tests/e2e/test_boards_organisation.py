"""Boards go into one organisation of Grafana's, whatever the administrator looks at; which one is named."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboards import committed
from dashboards.inspection import inspected
from dashboards.push import Grafana, GrafanaAccess, GrafanaUnserved, PushStep, pushed
from dashboards.sources import Installation
from tests.grafana_entrance import entrance
from tests.servers import ADMIN_PASSWORD, GrafanaServer, running

pytestmark = [pytest.mark.e2e, pytest.mark.grafana]

HERE = Installation("http://127.0.0.1:1", "cunjing", "telemetry", "the-reading-token", "http://desk:8080")
BOARDS = len(committed.documents())


@pytest.fixture(scope="module")
def switched(grafana_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[GrafanaServer, int]]:
    """A Grafana with two organisations, whose administrator looks at the second; and its number."""
    server = GrafanaServer(grafana_home, tmp_path_factory.mktemp("grafana"))
    with running(server):
        other: int = server.ask("POST", "/api/orgs", json={"name": "别的县"})["orgId"]
        server.ask("POST", f"/api/user/using/{other}")
        yield server, other


def steps(ours: Grafana) -> list[PushStep]:
    return list(pushed(ours, HERE, lambda _: None))


def boards_of(server: GrafanaServer, organisation: int) -> int:
    headers = {"X-Grafana-Org-Id": str(organisation)}
    return len(server.ask("GET", "/api/search", params={"type": "dash-db"}, headers=headers))


def test_an_administrator_who_looks_elsewhere_gets_no_second_set(switched: tuple[GrafanaServer, int]) -> None:
    server, other = switched
    first = steps(Grafana(entrance(server)))
    assert first[0].said == "Grafana's organisation is Main Org. (1)"
    assert (boards_of(server, 1), boards_of(server, other)) == (BOARDS, 0)
    again = Grafana(entrance(server))
    steps(again)
    assert again.writes == 0
    assert next(iter(inspected(Grafana(entrance(server)), HERE))).said == first[0].said


def test_the_organisation_that_is_configured_gets_them(switched: tuple[GrafanaServer, int]) -> None:
    server, other = switched
    ours = GrafanaAccess(server.url, ADMIN_PASSWORD, "secrets/grafana", "admin", org_id=other)
    assert steps(Grafana(ours))[0].said == f"Grafana's organisation is 别的县 ({other})"
    assert boards_of(server, other) == BOARDS


def test_an_organisation_that_is_not_there_is_named(switched: tuple[GrafanaServer, int]) -> None:
    server, _ = switched
    ours = GrafanaAccess(server.url, ADMIN_PASSWORD, "secrets/grafana", "admin", org_id=77)
    with pytest.raises(GrafanaUnserved, match=r"organisation.* 77, .*\[grafana\] org_id"):
        steps(Grafana(ours))


def test_a_token_of_another_organisation_is_refused_by_name(switched: tuple[GrafanaServer, int]) -> None:
    server, other = switched
    headers = {"X-Grafana-Org-Id": str(other)}
    account = server.ask("POST", "/api/serviceaccounts", json={"name": "ours", "role": "Admin"}, headers=headers)
    made = server.ask("POST", f"/api/serviceaccounts/{account['id']}/tokens", json={"name": "ours"}, headers=headers)
    own = GrafanaAccess(server.url, made["key"], "secrets/grafana")
    assert steps(Grafana(own))[0].said == f"Grafana's organisation is 别的县 ({other})"
    with pytest.raises(GrafanaUnserved, match=r"organisation.*\[grafana\] org_id"):
        steps(Grafana(GrafanaAccess(server.url, made["key"], "secrets/grafana", org_id=1)))
