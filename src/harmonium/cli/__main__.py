"""``python -m harmonium.cli``."""

import sys

from harmonium.cli import main

sys.exit(main())
