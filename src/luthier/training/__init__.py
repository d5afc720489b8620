"""The one loop, its checkpoints, its records."""
