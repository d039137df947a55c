"""Nets that read sentences; one file for each architecture."""
