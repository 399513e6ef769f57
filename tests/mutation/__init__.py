"""Mutation: deliberate faults in the code, each of which some test must catch."""
