"""Deep belief networks: machines stacked, bounded, unrolled to a feed-forward network, and fine-tuned."""
