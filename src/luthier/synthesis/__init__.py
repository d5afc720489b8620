"""Questions and answers made from documents by a model, filtered, with where each comes from."""
