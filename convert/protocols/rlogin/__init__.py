"""rlogin, rsh and rexec."""
