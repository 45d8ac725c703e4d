"""The rules: what is worth telling, how severe it is and where it stands in the evidence."""
