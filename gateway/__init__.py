"""The process: sockets, the one SQLite file, clocks and commands around the pure middle."""
