"""RADIUS: who asked to be let in, how, and what was answered."""
