"""Generated from the contract by scripts/generate: never edited by hand."""
