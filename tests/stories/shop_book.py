"""Everything around the main job: money, waiting, afterwards, administration."""
