import { expect, test } from "vitest";
import { readSettings } from "../../server/settings/read-settings.ts";

test.each([
  [
    "https://hooks.example/services/5ecret, ftp://b.example/5ecret",
    "https://hooks.example, ftp://b.example",
  ],
  ["https://a.example?key=5ecret, hooks.example/5ecret", "https://a.example, hooks.example"],
  ["https://user:5ecret@a.example/5ecret", "https://a.example"],
])("EV37 an error about ALERT_WEBHOOKS shows the hosts of %j alone", async (value, shown) => {
  const message = await readSettings({ flags: {}, env: { ALERT_WEBHOOKS: value } }).then(
    () => "no error",
    (error: Error) => error.message,
  );
  expect(message).toBe(
    `the variable ALERT_WEBHOOKS must be a list of at most 5 http or https URLs, not "${shown}"`,
  );
});
