"""Jobs: their states, the kinds there are, and how one is run in a process of its own."""
