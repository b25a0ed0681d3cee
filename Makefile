# Riff: `make demo` and `make test` do everything from a fresh clone; `make help` lists the rest.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help wheel without-blas demo test test-install lint types gui gui-shell gui-random soak sample-model bench-ui build bench bench-quality bench-speed bench-compose bench-crowd bench-rigs bench-zoo bench-farm clean

# The Python inside Blender 4.5 and the one inside 5.2: on PATH, or kept by pyenv.
find_python = $(shell for p in python$(1) python3 $(HOME)/.pyenv/versions/$(1).*/bin/python3; do \
	"$$p" -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != "$(1)")' 2>/dev/null && { echo "$$p"; break; }; done)
PYTHON311 ?= $(call find_python,3.11)
PYTHON313 ?= $(call find_python,3.13)

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' blender_manifest.toml)
ZIP := dist/riff-$(VERSION).zip
SOURCES := blender_manifest.toml sample/dancer.safetensors __init__.py api.py LICENSE README.md $(shell find core rig sample state operators panels shell -name "*.py") $(wildcard panels/languages/*.json requirements/torch-*.txt farm/*.yaml farm/*/*.js)
BUILDER := bpy/4.5/scripts/addons_core/bl_pkg/cli/blender_ext.py
PYTHON := .venv311/bin/python

export OMP_WAIT_POLICY ?= PASSIVE

help: ## Show this list
	@echo "Riff $(VERSION)"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|'

demo: .venv311/ready $(ZIP) ## Build, install in Blender 4.5, train and make five variations: CLIP=path for a clip of yours, OUT=folder
	@$(PYTHON) -m bench.demo --zip $(ZIP) $(if $(CLIP),--clip "$(CLIP)") $(if $(OUT),--out "$(OUT)") $(if $(SCALE),--scale $(SCALE))

test: .venv311/ready $(if $(PYTHON313),.venv313/ready) ## Lint, type checks, build, and all tests on Blender 4.5 and 5.2
	@$(PYTHON) tests/suite.py --zip $(ZIP)

test-install: .venv311/ready ## Install PyTorch from the package index and from a folder of wheels, really (about 200 MB)
	@$(PYTHON) wheels/fetch.py
	@$(PYTHON) -m pytest -m slow tests/core/torch_install/test_install.py tests/core/house/test_build.py tests/core/house/test_pip_package.py

lint: .venv311/ready ## Ruff, the rule of docstrings, and mypy against the interfaces of Blender 4.5 and 5.2
	@$(PYTHON) tests/suite.py --only ruff mypy

gui: .venv311/ready $(ZIP) ## A person's path by mouse and keys in a real Blender window, pictures in out/gui (Linux, as root; RIFF_GUI_ROOT=folder)
	@$(PYTHON) tests/gui/run.py --zip $(ZIP)

gui-shell: .venv311/ready $(ZIP) ## Every verb of `blender -c riff` in the real Blender of `make gui`, without a window
	@$(PYTHON) tests/gui/shell.py --zip $(ZIP)

soak: .venv311/ready $(if $(PYTHON313),.venv313/ready) $(ZIP) ## Let everything go wrong, often; one table of what was lost (half an hour; ONLY="words" SHARE=0.1; disks and clocks as root)
	@$(PYTHON) tests/soak/run.py --zip $(ZIP) $(if $(ONLY),--only $(ONLY)) $(if $(SHARE),--share $(SHARE))

gui-random: .venv311/ready $(ZIP) ## Random steps by mouse, keys and operators in a real window while Riff works: MINUTES=10 SEED=1
	@$(PYTHON) tests/gui/run_editing.py --zip $(ZIP) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

sample-model: .venv311/ready ## Train the model that is shipped with the sample dancer anew (some minutes on a quiet machine)
	@$(PYTHON) -m bench.shipped.sample_model

bench-ui: .venv311/ready $(ZIP) ## How smooth Blender's window stays while Riff trains and generates (needs what `make gui` needs)
	@$(PYTHON) tests/gui/bench_ui.py --zip $(ZIP)

build: .venv311/ready ## Zips for all and for each platform, the extension repository, checksums, in dist/; EDITION=platform; FULL=1: PLATFORM=, PYTHONS=
	@$(PYTHON) wheels/fetch.py
	@$(PYTHON) wheels/pack.py --builder .venv311/lib/python3.11/site-packages/$(BUILDER) \
		$(if $(EDITION),--edition $(EDITION)) $(if $(FULL),--full $(if $(PLATFORM),--platform $(PLATFORM)) $(if $(PYTHONS),--pythons $(PYTHONS)))

bench: bench-speed bench-quality ## Both benchmarks below (about 20 minutes on two cores)

bench-quality: .venv311/ready ## Train, measure beside the peers: CLIP=name, RECIPE=fast, SCALE=1, MODEL=file, COUNT=20, JOINTS=papers, SHEET=1
	@$(PYTHON) -m bench.quality $(if $(CLIP),--clip "$(CLIP)") $(if $(RECIPE),--recipe $(RECIPE)) $(if $(SCALE),--scale $(SCALE)) \
		$(if $(MODEL),--model "$(MODEL)") $(if $(COUNT),--count $(COUNT)) $(if $(JOINTS),--joints $(JOINTS)) $(if $(SHEET),--sheet) \
		$(if $(KEEP),--keep "$(KEEP)") $(if $(OUT),--out "$(OUT)")

bench-speed: .venv311/ready ## Seconds an iteration and a recipe beside the baseline's, generation, memory, stop: CLIP=path or name
	@$(PYTHON) -m bench.speed $(if $(CLIP),--clip "$(CLIP)")

wheel: .venv311/ready ## The pip package of core, with the command riff, in dist/: train and generate without Blender
	@$(PYTHON) wheels/pip_package.py

without-blas: build/without-blas/311/ready $(if $(PYTHON313),build/without-blas/313/ready) ## Pythons whose numpy (1.26 and 2) has no BLAS, as Blender's from blender.org (built once, some minutes; needs a C++ compiler)

# 2.5 as small as it can be, since only tests run on it; 1.26 as it comes, since `make bench-speed` measures it.
build/without-blas/313/ready: numpy_settings = -Csetup-args=-Dcpu-dispatch=none
build/without-blas/%/ready: requirements/dev-py%.txt
	@echo "Building $$(grep -oE "^numpy==[^ ]+" $<) without BLAS (some minutes)"
	@rm -rf $(@D) && $(PYTHON$*) -m venv $(@D)
	@$(@D)/bin/pip install --quiet meson-python==0.22.1 "Cython<3.2" ninja $$(grep -oE "^(safetensors|scipy-openblas32)==[^ ]+" $<)
	@PATH="$(CURDIR)/$(@D)/bin:$$PATH" $(@D)/bin/pip install --quiet --no-deps --no-binary numpy --no-build-isolation \
		$$(grep -oE "^numpy==[^ ]+" $<) -Csetup-args=-Dallow-noblas=true -Csetup-args=-Dblas= -Csetup-args=-Dlapack= $(numpy_settings)
	@touch $@

bench-compose: .venv311/ready ## Compositions beside a cross-fade: time, joins, skating, novelty; entry levels: MODEL=files
	@$(PYTHON) -m bench.compose $(MODEL) $(if $(OUT),--out "$(OUT)")

bench-crowd: .venv311/ready $(ZIP) ## Crowds of several sizes: seconds, playback, memory: MODEL=file CLIP=its clip SIZES="10 100" LIGHT="1000"
	@$(PYTHON) -m bench.crowd --zip $(ZIP) $(if $(MODEL),--model "$(MODEL)") $(if $(CLIP),--clip "$(CLIP)") \
		$(if $(SIZES),--sizes $(SIZES)) $(if $(LIGHT),--light-sizes $(LIGHT)) $(if $(OUT),--out "$(OUT)")

bench-rigs: .venv311/ready ## Every kind of rig read, written, played, trained on: ONLY=part of a name SHEET=picture of Rigify's human
	@$(PYTHON) -m bench.rigs $(if $(ONLY),--only "$(ONLY)") $(if $(SHEET),--sheet "$(SHEET)") $(if $(OUT),--out "$(OUT)")

bench-zoo: .venv311/ready ## Every armature and action of a folder's files, or of the tests' rigs, read and written: DIR=folder OUT=file
	@$(PYTHON) -m bench.zoo $(if $(DIR),"$(DIR)") $(if $(OUT),--out "$(OUT)")

bench-farm: .venv311/ready ## What a farm's task costs beside the plain command: CLIP=path or name ROUNDS=5
	@$(PYTHON) -m bench.farm $(if $(CLIP),--clip "$(CLIP)") $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(OUT),--out "$(OUT)")

clean: ## Remove everything that was built: out/, dist/, build/, environments, fetched wheels
	rm -rf out dist build .venv311 .venv313 .mypy_cache .ruff_cache .pytest_cache .hypothesis wheels/*.whl
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(ZIP): $(SOURCES) wheels/safetensors.txt wheels/openblas.txt wheels/pip.txt wheels/fetch.py wheels/pack.py | .venv311/ready
	@$(PYTHON) wheels/fetch.py
	@$(PYTHON) wheels/pack.py --builder .venv311/lib/python3.11/site-packages/$(BUILDER) --zip-only

.venv311/ready: requirements/dev-py311.txt requirements/stubs-4.5.txt requirements/stubs-5.2.txt
	@[ -n "$(PYTHON311)" ] || { echo "Riff needs Python 3.11, the one inside Blender 4.5; it was not found." >&2; exit 1; }
	@echo "Making .venv311 with Blender 4.5 and PyTorch (about 2 minutes)"
	@rm -rf .venv311
	@$(PYTHON311) -m venv .venv311
	@.venv311/bin/pip install --quiet -r requirements/dev-py311.txt
	@# The stubs of the two Blenders would overwrite each other, so each gets a small environment that sees the tools of this one.
	@set -e; for v in 4.5 5.2; do \
		$(PYTHON311) -m venv --without-pip .venv311/stubs/$$v; \
		.venv311/bin/pip --python .venv311/stubs/$$v/bin/python install --quiet --no-deps -r requirements/stubs-$$v.txt; \
		echo "$(CURDIR)/.venv311/lib/python3.11/site-packages" > .venv311/stubs/$$v/lib/python3.11/site-packages/tools.pth; \
	done
	@touch $@

.venv313/ready: requirements/dev-py313.txt
	@echo "Making .venv313 with Blender 5.2 and PyTorch (about 2 minutes)"
	@rm -rf .venv313
	@$(PYTHON313) -m venv .venv313
	@.venv313/bin/pip install --quiet -r requirements/dev-py313.txt
	@touch $@
