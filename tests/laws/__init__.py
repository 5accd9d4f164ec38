"""Laws that every family, negative phase and partition function must obey, over the registries."""
