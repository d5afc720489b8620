"""From logits to replies: decoding with a cache, sampling, and the `Model` and `Chat` contracts over a local model."""
