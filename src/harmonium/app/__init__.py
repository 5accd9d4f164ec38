"""The demonstration page: machines that run in a browser, packed into one HTML file that needs nothing beside it."""
