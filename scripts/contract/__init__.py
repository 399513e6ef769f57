"""The gate on the contract: what `scripts/gate` runs."""
