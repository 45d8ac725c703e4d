"""Fuzzing: `make fuzz`. Inputs are mutated by what is known of their formats and guided by the code they reach.

The compiled modules run with Cython's checks, under the address sanitizer, and count the branches they take; they are
built in a copy of the tree (tree.py), so the checkout keeps its own build. targets/ has what is run, mutate/ what
knows the formats, table.py says which belong together.
"""
