import type { TestMesh } from "../mesh.ts";

/** Counts the ticks of a mesh from now on. */
export function countTicks(mesh: TestMesh): { readonly ticks: number } {
  const counted = { ticks: 0 };
  const tick = mesh.tick.bind(mesh);
  mesh.tick = () => {
    counted.ticks++;
    tick();
  };
  return counted;
}
