#!/bin/sh
# Runs a unittest file: py_test asks for a `python`, which Debian does not have.
exec python3 -B "$@"
