"""Recording a live machine: another way to get a scap file."""
