"""The house about itself: whether it works, what is overdue, and who hears of it, inside and from another machine."""
