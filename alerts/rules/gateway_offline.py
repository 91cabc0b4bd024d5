"""A radio gateway is down: most of what it carries has fallen silent at once. Stage two judges it, over many."""

from typing import ClassVar, Literal

from pydantic import Field

from alerts.conditions.rule import Count, Rule, RuleScope
from alerts.model import Severity
from telemetry.inventory import Device


class GatewayOffline(Rule):
    """Raised at ``raise_share`` and at least ``least`` of its devices stale, cleared at ``fresh_share`` fresh."""

    kind: Literal["gateway_offline"] = "gateway_offline"
    called: ClassVar[str] = "网关断了"
    explained_by: ClassVar[frozenset[str]] = frozenset({"area_outage"})
    of_instrument: ClassVar[bool] = True
    scope: ClassVar[RuleScope] = RuleScope.RADIO_GATEWAY
    severity: Severity = Severity.P3
    raise_share: float = Field(default=0.6, gt=0, le=1)
    least: int = Field(default=3, ge=1)
    fresh_share: float = Field(default=0.5, gt=0, le=1)
    longest_interval_s: Count = 3600

    def counts(self, device: Device) -> bool:
        """Whether the device speaks often enough to be a witness."""
        return device.interval_s <= self.longest_interval_s

    def is_down(self, stale: int, total: int) -> bool:
        """Whether so many stale of all make it down."""
        return stale >= self.least and stale >= self.raise_share * total

    def is_back(self, stale: int, total: int) -> bool:
        """Whether so few stale of all make it up again."""
        return total - stale >= self.fresh_share * total


RULE = GatewayOffline
