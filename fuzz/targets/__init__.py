"""What is run on an input, one file each: `run` raises where the code under test does what it must not."""
