#!/bin/sh
# Runs a Python test: py_test asks for a `python`, which Debian does not have.
exec python3 -B "$@"
