"""Signed deliveries to a mesh, and signed callbacks from one."""
