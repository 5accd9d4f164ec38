"""The speed of harmonium beside other tools and beside the matrix products alone; run as `python benchmarks/speed`."""
