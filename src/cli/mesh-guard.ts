/**
 * Loaded into the process of wrangler (`--import`). When the process that started the mesh dies, the IPC channel
 * closes; this module then kills the whole process group of the mesh.
 */
process.on("disconnect", () => {
  process.kill(-process.pid, "SIGKILL");
});
