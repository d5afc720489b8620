"""From a batch to a loss: one module per kind of batch, one function per loss."""
