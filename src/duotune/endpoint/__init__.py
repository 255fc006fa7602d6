"""Client of an OpenAI-compatible server, as vLLM is one, over TCP or a unix socket."""
