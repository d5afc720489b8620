"""What flows through Luthier: messages, rows, documents. Level 0: nothing here imports another room."""
