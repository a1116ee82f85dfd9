import * as fc from "fast-check";

/** Names that some reader of JSON treats in a special way, or that need escapes. */
const ODD_NAMES = [
  "__proto__",
  "constructor",
  "toString",
  "",
  "0",
  "a b",
  "é",
  "\u0000",
  "\u2028",
  "𝄞",
  '"',
  "\\",
];

const space = fc.string({ unit: fc.constantFrom(" ", "\t", "\n", "\r"), maxLength: 3 });
const digits = fc.string({
  unit: fc.constantFrom(...Array.from("0123456789")),
  minLength: 1,
  maxLength: 25,
});
const integer = fc.oneof(
  fc.constant("0"),
  fc
    .tuple(fc.constantFrom(...Array.from("123456789")), digits)
    .map(([first, rest]) => first + rest),
);
/** Numbers as they may be written: long, with exponents, with useless zeros and signs. */
const numberText = fc
  .tuple(
    fc.constantFrom("", "-"),
    integer,
    fc.option(digits, { nil: null }),
    fc.option(fc.tuple(fc.constantFrom("e", "E", "e+", "E-", "e-"), fc.nat({ max: 99 })), {
      nil: null,
    }),
  )
  .map(
    ([sign, whole, fraction, exponent]) =>
      `${sign}${whole}${fraction === null ? "" : `.${fraction}`}${exponent?.join("") ?? ""}`,
  );

const character = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.string({ minLength: 1, maxLength: 1 }).map((c) => JSON.stringify(c).slice(1, -1)),
  },
  fc.constantFrom('\\"', ..."\\/bfnrt".split("").map((char) => `\\${char}`)),
  fc.constantFrom("/", "\u007f", "\u2028", "é", "𝄞"),
  fc.constantFrom("\\u0000", "\\u0041", "\\u00E9", "\\ud834\\udd1e", "\\uD834\\uDD1E"),
);
const stringText = fc.array(character, { maxLength: 8 }).map((parts) => `"${parts.join("")}"`);

const nameText = fc.oneof(
  stringText,
  fc.constantFrom(...ODD_NAMES).map((name) => JSON.stringify(name)),
);
const unescapedNameText = nameText.map((name) => `"${name.slice(1, -1).replace(/\\./g, "+")}"`);

interface TextOptions {
  /** The names of an object differ. */
  readonly unique?: boolean;
  /**
   * Names have no escapes. V8 13.6 decodes some wrongly: after an object with the key "\\\\", `JSON.parse` reads the key "\\n" of
   * another object as a backslash, so it can't be what such a name is compared with.
   */
  readonly unescapedNames?: boolean;
}

/** JSON texts in every way of writing, with white space anywhere. */
export const jsonText = ({
  unique = false,
  unescapedNames = false,
}: TextOptions = {}): fc.Arbitrary<string> =>
  fc.letrec<{ value: string; padded: string }>((tie) => ({
    padded: fc.tuple(space, tie("value"), space).map((parts) => parts.join("")),
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.oneof(numberText, stringText, fc.constantFrom("true", "false", "null")),
      fc.array(tie("padded"), { maxLength: 5 }).map((items) => `[${items.join(",")}]`),
      fc
        .array(
          fc.tuple(space, unescapedNames ? unescapedNameText : nameText, space, tie("padded")),
          {
            maxLength: 5,
          },
        )
        .map((members) => (unique ? withUniqueNames(members) : members))
        .map(
          (members) => `{${members.map(([a, name, b, v]) => `${a}${name}${b}:${v}`).join(",")}}`,
        ),
    ),
  })).padded;

type Member = [space: string, name: string, space: string, value: string];

const withUniqueNames = (members: Member[]): Member[] => {
  const names = members.map(([, name]) => JSON.parse(name) as string);
  return members.filter((_, i) => names.indexOf(names[i] as string) === i);
};
