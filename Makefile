SHELL := /bin/bash
PY := .venv/bin/python
