"""Real data beside the checkout, or in the folder that SPHEREKIT_DATA names; skipped where missing."""

import os
from pathlib import Path

#: Folder of the data sets; it may not exist.
SHARED = Path(os.environ.get("SPHEREKIT_DATA") or Path(__file__).parents[2] / "shared" / "data")
