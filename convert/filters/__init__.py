"""The filter language of sysdig, and the fields that filters and formats name."""
