"""The skills of the embedded model: each module has one or more functions `Draw -> row`."""
