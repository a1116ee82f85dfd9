"""The client of a mesh's HTTP API: one sub-client for each resource."""
