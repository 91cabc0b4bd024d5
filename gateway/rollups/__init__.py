"""The hourly and daily rollups: a thread beside the loop that reads the journal and has rows written into it."""
