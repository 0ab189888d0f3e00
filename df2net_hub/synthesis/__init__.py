"""Image-depth training pairs, rendered from a morphable head."""
