"""What is kept: run folders, checkpoints, and the runs that are opened from them."""
