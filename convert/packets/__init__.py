"""Packet captures: files (pcap, pcapng), layers, fragments, and TCP put together again."""
