"""Descriptions and names by which runs, data and code are identified."""
