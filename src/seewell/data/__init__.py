"""Images in: a source becomes an ImageDataset."""
