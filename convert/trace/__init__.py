"""A trace as libsinsp shows it: events in file order, each with the thread and the descriptor that it meets."""
