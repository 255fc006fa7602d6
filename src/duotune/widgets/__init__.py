"""The app's widgets: how things behave and look; none reads a file or asks a server."""
