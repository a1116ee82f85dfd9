import type { JsonPath } from "../json-path.ts";

/**
 * What a value is selected for. `mapped`: it becomes a part of a task, or a task's kind. `compared`: a filter or the delivery's
 * identity reads it, which needs no long values.
 */
export const USES = ["mapped", "compared"] as const;
export type Use = (typeof USES)[number];

/** The paths that a source's rules read of an event. */
export type WantedPaths = Readonly<Record<Use, readonly JsonPath[]>>;

/** Paths that begin alike share their nodes, so that an event is read once, however many paths there are. */
export interface PathNode {
  readonly uses: Set<Use>;
  readonly names: Map<string, PathNode>;
  /** By index from the start. */
  readonly indexes: Map<number, PathNode>;
  /** By index from the end: -1 is the last element. */
  readonly fromEnd: Map<number, PathNode>;
}

const newNode = (): PathNode => ({
  uses: new Set(),
  names: new Map(),
  indexes: new Map(),
  fromEnd: new Map(),
});

export function pathTree(wanted: WantedPaths): PathNode {
  const root = newNode();
  for (const use of USES) {
    for (const { segments } of wanted[use]) {
      let node = root;
      for (const segment of segments)
        node = childAt(node, segment) ?? addChild(node, segment, newNode());
      node.uses.add(use);
    }
  }
  return root;
}

interface Children<T> {
  readonly names: Map<string, T>;
  readonly indexes: Map<number, T>;
  readonly fromEnd: Map<number, T>;
}

/** The child for a segment, of a node of the tree or of what matched it. */
export function childAt<T>(node: Children<T>, segment: string | number): T | undefined {
  if (typeof segment === "string") return node.names.get(segment);
  return (segment < 0 ? node.fromEnd : node.indexes).get(segment);
}

function addChild<T>(node: Children<T>, segment: string | number, child: T): T {
  if (typeof segment === "string") node.names.set(segment, child);
  else (segment < 0 ? node.fromEnd : node.indexes).set(segment, child);
  return child;
}
