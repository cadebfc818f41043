import { RedisStore } from "@hauberk/rate-limit/redis";

/**
 * A program that charges one key of a Redis store `count` times at once and prints how often it was
 * admitted: `node rate-limit-client.js url prefix key capacity count`. It waits for a line on standard
 * input before it begins, so that several can begin together.
 */
const [url = "", prefix = "", key = "", capacity = "", count = ""] = process.argv.slice(2);
const REQUEST = 60_000 * 90_090;

const store = new RedisStore({ url, prefix, deadlineMs: 5000 });
await store.ready();
process.stdout.write("ready\n");
await new Promise((resolve) => process.stdin.once("data", resolve));
process.stdin.destroy();
const charge = {
  policyName: "test",
  key,
  cost: REQUEST,
  capacity: Number(capacity) * REQUEST,
};
const answers = await Promise.all(
  Array.from({ length: Number(count) }, () => store.charge([charge])),
);
process.stdout.write(`${answers.filter(([debt]) => debt! <= charge.capacity).length}\n`);
await store.close();
