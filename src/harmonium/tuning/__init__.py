"""Random search over the options of a training run: a space, a study shared by workers, and what they found."""
