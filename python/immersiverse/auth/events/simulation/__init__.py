"""A seeded world of users and attackers, told as events: for demos, development, tests and load."""

from immersiverse.auth.events.simulation.order import OrderWatch as OrderWatch
from immersiverse.auth.events.simulation.stream import DEFAULT_START as DEFAULT_START
from immersiverse.auth.events.simulation.stream import simulate as simulate
from immersiverse.auth.events.simulation.tally import Tally as Tally
