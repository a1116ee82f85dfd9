/** The lists whose pages have cursors. Each cursor begins with the name of its list, so that no list takes one of another. */
export type CursorList = "tasks" | "peers" | "audit" | "denied" | "deliveries" | "tokens";

/** A cursor of a list. */
export const cursorOf = (list: CursorList, place: string): string => `${list}-${place}`;

/** What `cursorOf` was given; null if the cursor is not one of this list. */
export const placeOfCursor = (list: CursorList, cursor: string): string | null =>
  cursor.startsWith(`${list}-`) ? cursor.slice(list.length + 1) : null;
