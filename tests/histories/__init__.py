"""Golden histories: what real runs left at a real server, replayed against the workflows of today."""
