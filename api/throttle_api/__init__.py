"""Throttle over HTTP. The modules that import the web framework are imported only by the commands that serve."""
