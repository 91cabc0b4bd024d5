"""The one SQLite file: everything that must survive is written here, in one transaction a batch, by one thread."""
