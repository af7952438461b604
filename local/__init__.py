"""Servers for one machine: PostgreSQL, Temporal and the stand-ins as child processes. Not for production."""
