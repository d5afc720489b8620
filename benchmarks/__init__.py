"""Luthier beside the tools people use, on equal work: see README.md."""
