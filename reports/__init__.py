"""From annotations to findings and to the documents that show them."""
