"""Every row against another package, by name."""

import attacks
import explained
import geometry
import smoothing
import tangents

FAMILIES = (smoothing, explained, tangents, geometry)
CONTESTS = {one.name: one for family in FAMILIES for one in family.CONTESTS}
LEAST = ("foolbox", "art")  # whose attacks seek the least distance, as ours do
PEERS = [*CONTESTS, *(name for name, duel in attacks.DUELS.items() if duel.package in LEAST)]
