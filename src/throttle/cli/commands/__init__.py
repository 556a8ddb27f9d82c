"""One module for each command; the table in ``throttle.cli`` names them."""
