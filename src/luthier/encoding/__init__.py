"""Encoder models at work: texts to vectors, for retrieval, evaluation and the API."""
