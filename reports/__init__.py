"""From annotations and a manifest to findings and documents. Nothing here decodes a capture."""
