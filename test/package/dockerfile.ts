/** One instruction of a Dockerfile: its word in upper case, and the rest of its line. */
interface Instruction {
  readonly word: string;
  readonly rest: string;
}

/** What an image is made of: the commands of all stages, and what holds when the image runs. */
export interface Image {
  /** The commands of `RUN`, in order. */
  readonly commands: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly healthCheck: readonly string[];
  readonly stopSignal: string;
  readonly user: string;
  readonly volume: string;
}

/** Reads the Dockerfiles of docs/deploy: instructions of one line each, and lists in JSON. */
export function readDockerfile(text: string): Image {
  const instructions = text.split("\n").flatMap((line): Instruction[] => {
    const [, word, rest] = /^([A-Z]+) +(.+)$/.exec(line) ?? [];
    return word === undefined || rest === undefined ? [] : [{ word, rest }];
  });
  const all = (word: string): string[] =>
    instructions.flatMap((instruction) => (instruction.word === word ? [instruction.rest] : []));
  const last = (word: string): string => all(word).at(-1) ?? "";
  const list = (json: string): readonly string[] => JSON.parse(json) as string[];
  const pairs = all("ENV").flatMap((line) => line.split(" ").map((pair) => pair.split("=")));
  return {
    commands: all("RUN"),
    env: Object.fromEntries(pairs.map(([name = "", value = ""]) => [name, value])),
    entrypoint: list(last("ENTRYPOINT")),
    healthCheck: list(last("HEALTHCHECK").replace(/^.*?CMD /, "")),
    stopSignal: last("STOPSIGNAL"),
    user: last("USER"),
    volume: last("VOLUME"),
  };
}
