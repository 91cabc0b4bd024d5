"""The inventory: who and what there is in a county, and what a file of it has to say to be one."""
