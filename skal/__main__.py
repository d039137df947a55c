"""The command line of skal, `python -m skal`."""

import sys

from skal.labeling._commands import main

if __name__ == "__main__":
    sys.exit(main())
