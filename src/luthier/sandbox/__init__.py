"""Work that may hang, eat memory or crash, in a child process with limits."""
