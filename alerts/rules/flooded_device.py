"""A device says far more than it was set to: a loose contact, a firmware gone wild, somebody who uses its password.

How its messages are counted is ``traffic``; that those above the share wait for everybody else's is the line's.
"""

from typing import ClassVar, Literal

from pydantic import Field

from alerts.conditions.rule import HOUR, SECOND, TrafficRule
from alerts.conditions.traffic import HourlyTraffic, Share
from alerts.model import Detail, Severity


class FloodedDevice(TrafficRule):
    """Raised above ``times`` the planned messages or ``most_bytes`` in an hour, cleared by a whole hour below.

    A device that reports less than hourly is planned to send one message an hour.
    """

    kind: Literal["flooded_device"] = "flooded_device"
    called: ClassVar[str] = "乱发消息"
    severity: Severity = Severity.P4
    times: float = Field(default=10.0, ge=1)
    most_bytes: int = Field(default=1_048_576, ge=65_536)

    def share(self, interval_s: int) -> Share:
        """See ``TrafficRule.share``."""
        return Share(int(self.times * max(1.0, HOUR / SECOND / interval_s)), self.most_bytes)

    def evidence(self, traffic: HourlyTraffic, interval_s: int) -> Detail:
        """See ``TrafficRule.evidence``."""
        return {"messages": traffic.messages, "bytes": traffic.size, "share": self.share(interval_s).messages}


RULE = FloodedDevice
