"""已报未见: what somebody said they did, held against the next two samples of the same bin.

Pure values. Only a bin's own level speaks here; whether the case is over is the engine's finding, not ours.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from telemetry.reading import Millis

SAMPLES: Final = 2
"""So many usable samples after the claim, and it should be seen."""
ABOUT: Final = frozenset({"over_two_thirds", "overflow"})
"""The rules of which an emptier's 1 says that it is done."""
KEPT_MS: Final[Millis] = 86_400_000
"""A bin that says nothing for so long is not waited for any more."""


class Claim(Struct, frozen=True):
    """Somebody said at ``at_ms`` that an episode's bin is seen to; ``seen`` counts its samples since."""

    asset: str
    episode: str
    person: str
    at_ms: Millis
    seen: int = 0


def sampled(claim: Claim, observed_ms: Millis) -> Claim:
    """The claim after one more usable sample; one that was measured before it says nothing."""
    return replace(claim, seen=claim.seen + 1) if observed_ms > claim.at_ms else claim


def is_due(claim: Claim) -> bool:
    """Whether it should be seen by now."""
    return claim.seen >= SAMPLES


def standing(claims: Iterable[Claim], now_ms: Millis) -> tuple[Claim, ...]:
    """Those still waited for."""
    return tuple(claim for claim in claims if claim.at_ms > now_ms - KEPT_MS)
