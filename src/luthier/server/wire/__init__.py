"""Vendor JSON to our records and back: the only place that knows vendor field names."""
