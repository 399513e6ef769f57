"""Simulated streams of authentication events, the same for the same seed: for demos, tests and load.

Users sign up, log in at the hours of the day where they live, mistype, link platforms and leave; attackers
guess and steal passwords. Attacks are labelled, so that a detector can be scored.
"""

from immersiverse.auth.events.simulation.stream import DEFAULT_START as DEFAULT_START
from immersiverse.auth.events.simulation.stream import simulate as simulate
from immersiverse.auth.events.simulation.stream import simulate_labelled as simulate_labelled
from immersiverse.auth.events.simulation.world import Attack as Attack
from immersiverse.auth.events.simulation.world import SimulatedEvent as SimulatedEvent
