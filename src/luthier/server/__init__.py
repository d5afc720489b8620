"""The OpenAI API on your own machine: vendor JSON in `wire`, one file per resource in `routes`, work in `worker`."""
