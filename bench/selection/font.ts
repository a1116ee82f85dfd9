export const GLYPH_WIDTH = 5;
export const GLYPH_HEIGHT = 8;

/** The letters of plot labels: each strip has a line with the letters, then their rows in cells of six columns. */
const STRIPS: readonly string[] = [
  `
0     1     2     3     4     5     6     7     8     9     .     %
 ###    #    ###   ###     #  #####  ##   #####  ###   ###        ##  #
#   #  ##   #   # #   #   ##  #     #         # #   # #   #       ##  #
#  ##   #       #     #  # #  ####  #        #  #   # #   #          #
# # #   #      #    ##  #  #      # ####    #    ###   ####         #
##  #   #     #       # ##### #   # #   #  #    #   #     #        #
#   #   #    #    #   #    #  #   # #   #  #    #   #    #    ##  #  ##
 ###   ###  #####  ###     #   ###   ###   #     ###   ##     ##  #  ##
`,
  `
a     b     c     d     e     f     g     h     i     j     k     l
      #               #         ##        #       #      #  #      ##
      #               #        #  #       #                 #       #
 ###  ####   ###   ####  ###   #     #### # ##   ##     ##  #  #    #
    # #   # #     #   # #   # ###   #   # ##  #   #      #  # #     #
 #### #   # #     #   # #####  #    #   # #   #   #      #  ##      #
#   # #   # #   # #   # #      #     #### #   #   #   #  #  # #     #
 #### ####   ###   ####  ###   #        # #   #  ###   ##   #  #   ###
                                     ###
`,
  `
m     n     o     p     q     r     s     t     u     v     w     x
                                           #
                                           #
## #  # ##   ###  ####   #### # ##   #### ###   #   # #   # #   # #   #
# # # ##  # #   # #   # #   # ##  # #      #    #   # #   # #   #  # #
# # # #   # #   # #   # #   # #      ###   #    #   # #   # # # #   #
# # # #   # #   # ####   #### #         #  #  # #  ##  # #  # # #  # #
#   # #   #  ###  #         # #     ####    ##   ## #   #    # #  #   #
                  #         #
`,
  `
y     z     -     :     ,     (     )     D     P
                                 #   #    ####  ####
                                #     #   #   # #   #
#   # #####         #          #       #  #   # #   #
#   #    #          #          #       #  #   # ####
#   #   #    ###               #       #  #   # #
 ####  #            #     #     #     #   #   # #
    # #####         #     #      #   #    ####  #
 ###                     #
`,
];

const GLYPHS = new Map<string, readonly string[]>();
for (const strip of STRIPS) {
  const [names = "", ...rows] = strip.split("\n").slice(1, -1);
  for (let at = 0; at < names.length; at += GLYPH_WIDTH + 1)
    GLYPHS.set(
      names.charAt(at),
      rows.map((row) => row.slice(at, at + GLYPH_WIDTH)),
    );
}

const BLANK: readonly string[] = [];

/** The rows of a letter. Throws when the font lacks it: the plot must use other words, or the font must grow. */
export function glyphOf(letter: string): readonly string[] {
  const rows = letter === " " ? BLANK : GLYPHS.get(letter);
  if (rows === undefined) throw new Error(`the font lacks "${letter}"`);
  return rows;
}
