"""What changes in a mesh, as a stream."""
