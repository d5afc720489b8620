"""From rows to tokens: the model's own chat template, which tokens carry loss, and packing."""
