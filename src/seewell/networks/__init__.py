"""Layers: a name becomes a Keras network that takes raw uint8 images."""
