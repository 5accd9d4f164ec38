"""The parts of `benchmarks/likelihoods.py`: a file a section of docs/likelihood.md."""
