import type { Plugin } from "esbuild";

/**
 * Of zod's 50 languages for error messages, none is used but English, which zod sets itself. All of them would come along, because zod
 * exports them under one name.
 */
export const ONLY_ENGLISH = {
  file: /\/zod\/v4\/locales\/index\.js$/,
  source: 'export { default as en } from "./en.js";\n',
};

export const onlyEnglish: Plugin = {
  name: "only-english",
  setup: (bundler) =>
    bundler.onLoad({ filter: ONLY_ENGLISH.file }, () => ({
      contents: ONLY_ENGLISH.source,
      loader: "js",
    })),
};
