"""`tidegate serve --all`: everything that one machine needs, kept up."""
