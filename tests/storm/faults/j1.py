"""J1: a sample is noted as seen before the last read that its mark needs; refused there, it is a duplicate."""

from gateway.pipeline import Pipeline
from gateway.tracks import Counted
from telemetry import sequence
from telemetry.reading import Millis, Sample
from telemetry.sequence import SeqVerdict, SeqWindows
from tests.storm.line import StormLine


class MarkingEarly(Pipeline):
    """Notes what it looks for before it has asked, where no rollback reaches."""

    def marked(self, windows: SeqWindows, device: str, sample: Sample, received_ms: Millis) -> Counted | None:
        """See ``Pipeline.marked``."""
        if sample.fingerprint or sequence.judge(windows, sample.boot, sample.seq) is not SeqVerdict.BELOW_WINDOW:
            return super().marked(windows, device, sample, received_ms)
        name = (device, sample.boot, sample.seq)
        if name in self._below or self._archive.seen(*name):
            return None
        set.add(self._below, name)
        top = self._archive.highest_seq(device, sample.boot)
        return Counted(sample.boot, sequence.mark(windows, sample.boot, sample.seq, top))


class Line(StormLine):
    """A gateway with it."""

    kind = MarkingEarly
