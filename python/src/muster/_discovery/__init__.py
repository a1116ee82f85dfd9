"""Peers found by what their mesh has signed, at the mesh or at any copy of its discovery."""
