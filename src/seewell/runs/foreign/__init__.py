"""Foreign networks: TensorFlow graphs and their checkpoints, read and translated to Keras layers, never run."""
