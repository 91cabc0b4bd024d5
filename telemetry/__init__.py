"""The shared words and the wire: what a device may say, and who and what there is. Pure: no clock, socket or disk."""
