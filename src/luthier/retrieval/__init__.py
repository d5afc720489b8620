"""Passages found again: indexes of vectors and words, embedders by name, and the search over both."""
