"""What an hour and a day come to: a fold over an asset's sorted readings, so that arrival changes nothing."""
