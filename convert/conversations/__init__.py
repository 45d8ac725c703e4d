"""Two endpoints, the processes behind them and the bytes between them, whatever they were decoded from."""
