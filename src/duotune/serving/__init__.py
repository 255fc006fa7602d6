"""Published adapters to vLLM: its configuration, its systemd unit, and the checks before either is written."""
