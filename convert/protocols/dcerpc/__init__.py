"""DCE/RPC over TCP."""
