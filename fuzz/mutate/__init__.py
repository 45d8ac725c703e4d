"""What changes an input so that it still looks like its format, one file each."""
