"""From an owed text to a provider's receipt: whom to try next and when; the courier alone does it."""
