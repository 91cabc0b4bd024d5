"""Stage one: what is so with an asset, sample by sample. No person, no text and no alert of another is known here."""
