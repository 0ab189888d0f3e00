"""Rendered training pairs: morphable head, looks, light, camera. The paper's first kind of data."""
