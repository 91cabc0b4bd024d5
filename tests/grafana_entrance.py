"""How a test gets into the real Grafana: as its administrator, or by the token of a service account with a role."""

from secrets import token_hex

from dashboards.push import GrafanaAccess
from tests.servers import ADMIN_PASSWORD, GrafanaServer


def entrance(grafana: GrafanaServer) -> GrafanaAccess:
    """As the administrator."""
    return GrafanaAccess(grafana.url, ADMIN_PASSWORD, "secrets/grafana", username="admin")


def entrance_of_role(grafana: GrafanaServer, role: str) -> GrafanaAccess:
    """By the token of a new service account of this role."""
    name = f"cunjing {token_hex(4)}"
    account = grafana.ask("POST", "/api/serviceaccounts", json={"name": name, "role": role})
    token = grafana.ask("POST", f"/api/serviceaccounts/{account['id']}/tokens", json={"name": name})
    return GrafanaAccess(grafana.url, token["key"], "secrets/grafana")
