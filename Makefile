# Each target sets up what it needs (scripts/setup.sh) and is quick when nothing has changed.
#   TORCH=cpu|cuda   which build of torch (chosen by itself otherwise)
#   PYTHON=/path     which Python makes .venv (the newest of 3.11 to 3.13 otherwise)
.PHONY: help demo test check compat soak bench bench-serving bench-retrieval docs clean
.DEFAULT_GOAL := help

PY = .venv/bin/python
SDKS = 1.109.1 2.44.0 3.52.0
CLIENTS = $(patsubst tests/compat/clients/%.txt,%,$(wildcard tests/compat/clients/*.txt))
PYTEST = OMP_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false HF_HUB_OFFLINE=1 $(PY) -m pytest

help:
	@echo "make demo    set up, then the main job on the embedded model"
	@echo "make test    set up, then every test but compat and soak"
	@echo "make check   format, lint, types, licences of every installed part"
	@echo "make compat  other people's code on what Luthier wrote, and the notebooks, in environments of their own"
	@echo "make soak    long faults and many seeds"
	@echo "make bench   Luthier beside TRL and transformers' Trainer, over an hour (ARGS='full-best' for one suite)"
	@echo "make bench-serving  its engine beside transformers and PEFT, over an hour (ARGS='ragged uniform' for some suites)"
	@echo "make bench-retrieval  its index beside Chroma and sqlite-vec, about an hour (ARGS='scale store-load' for some)"
	@echo "make docs    write the generated tables in docs/"
	@echo "make clean   remove every environment"

demo:
	@sh scripts/setup.sh core
	.venv/bin/luthier demo

test:
	@sh scripts/setup.sh dev
	$(PYTEST) -n 3 --dist worksteal --durations 10 --ignore tests/compat $(ARGS)

check:
	@sh scripts/setup.sh dev
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/mypy scripts examples
	.venv/bin/mypy -p benchmarks
	$(PY) scripts/licences.py

compat:
	@sh scripts/setup.sh dev
	@sh scripts/setup.sh compat
	@sh scripts/setup.sh lm-eval
	@for version in $(SDKS); do sh scripts/setup.sh openai-$$version || exit 1; done
	@printf 'client-%s\n' $(CLIENTS) | xargs -n 1 -P 2 sh scripts/setup.sh
	@sh scripts/setup.sh notebooks
	.venv-notebooks/bin/python scripts/licences.py
	$(PYTEST) -n 2 --dist loadfile --durations 10 tests/compat $(ARGS)

soak:
	@sh scripts/setup.sh dev
	$(PYTEST) -s -m "soak or hypothesis" --hypothesis-profile soak $(ARGS)

bench:
	@sh scripts/setup.sh dev
	@sh scripts/setup.sh bench
	$(PY) -m benchmarks.training $(ARGS)

bench-serving:
	@sh scripts/setup.sh dev
	$(PY) -m benchmarks.serving $(ARGS)

bench-retrieval:
	@sh scripts/setup.sh dev
	@sh scripts/setup.sh stores
	$(PY) -m benchmarks.retrieval $(or $(ARGS),scale)

docs:
	@sh scripts/setup.sh core
	$(PY) scripts/docs.py

clean:
	rm -rf .venv .venv-compat .venv-openai-* .venv-client-* .venv-lm-eval .venv-notebooks .venv-bench .venv*.unfinished
