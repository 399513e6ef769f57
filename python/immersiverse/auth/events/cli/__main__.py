"""`python -m immersiverse.auth.events.cli`, where the command is not on PATH."""

from __future__ import annotations

import sys

from immersiverse.auth.events.cli import main

sys.exit(main())
