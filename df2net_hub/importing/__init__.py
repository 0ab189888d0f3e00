"""Faces that other methods reconstructed, read into our conventions."""
