"""How every test runs."""

from __future__ import annotations

from hypothesis import settings

# A property's worth is in its examples; how long one takes on a shared machine says nothing.
settings.register_profile("events", deadline=None, print_blob=True)
settings.load_profile("events")
