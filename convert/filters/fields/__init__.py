"""What can be asked of an event: one row a field, in files by the field's first word."""
