"""Publish and consume: nothing is lost, and each user's events stay in order."""
