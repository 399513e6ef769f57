"""Bring a cluster's topics to what the contract and an operator's YAML ask for: wanted, planned, applied."""
