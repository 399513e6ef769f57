"""The gate: what `scripts/check` runs."""
