"""Self-contained HTML pages and charts from plain data. Level 1: knows nothing of models or training."""
