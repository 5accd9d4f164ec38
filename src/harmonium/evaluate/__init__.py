"""Scores of machines: likelihoods first."""
