"""Bring what users have (morphable models, textures, panoramas) into the form that is rendered."""
