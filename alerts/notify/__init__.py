"""Who is told what, when, and why not: from an episode to the texts that are owed."""
