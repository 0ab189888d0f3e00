"""The trainer: dense, fine, finer in turn, and AlbedoNet, on Accelerate."""
