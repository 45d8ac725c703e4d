"""FastCGI: what a web server asks of an application, and its answers."""
