"""``python -m throttle``."""

from throttle.cli import main

if __name__ == "__main__":
    main()
