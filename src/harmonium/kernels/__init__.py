"""What must be fast; each kernel has a plain twin and a test that they agree."""
