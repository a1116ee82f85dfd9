/** How many characters (Unicode code points) a text has. `text.length` counts UTF-16 units, of which an emoji has two. */
export function codePointCount(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
