"""``python -m ssnib_model`` is the command ``ssnib``."""

import sys

from ssnib_model.cli import main

if __name__ == "__main__":
    sys.exit(main())
