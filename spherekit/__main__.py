"""``python -m spherekit``."""

import sys

from spherekit.cli import main

sys.exit(main())
