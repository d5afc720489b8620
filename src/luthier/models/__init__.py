"""Loading models, choosing what is trained, adapters, export."""
