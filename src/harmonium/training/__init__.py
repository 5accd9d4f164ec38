"""Training: one loop, and the parts that vary."""
