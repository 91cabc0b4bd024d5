"""Stage two: episodes from raised to cleared, what explains what, and one input after the other for a whole county."""
