"""How right the platform is about the world: what it said joined with what was so (``make score``, docs/score.md).

Nothing of the house imports it. It knows the simulator only as a program that writes files, and no detector at all.

| module | is |
|---|---|
| ``__main__`` | the run, in order |
| ``county`` | what is scored: sizes, seeds, and what happens by order |
| ``running`` | one seed from its scenario to its counts |
| ``truth``, ``said``, ``heard`` | the three things that are joined: what was so, what was said, what had arrived |
| ``join``, ``faults``, ``forecasts`` | the rules of join |
| ``baselines`` | two thoughtless judges of the same uplinks |
| ``office`` | people who act on what is said, as long as it is played |
| ``tally``, ``intervals``, ``aims`` | counts, their exact bounds, and what they were to come to |
| ``table`` | for people |
"""
