# Too fast, too many, and what waits.
