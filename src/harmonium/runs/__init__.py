"""Runs: from options to a folder with a trained, scored and drawn machine."""
