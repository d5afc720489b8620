"""Metrics per item, and the statistics that say whether two systems differ."""
