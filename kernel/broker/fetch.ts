// Run by scripts/setup.mjs: brings Kafka's jars into the cache.
import { MillraceError } from "../../lib/error.ts";
import { kafkaJars } from "./jars.ts";

try {
  console.log(await kafkaJars((line) => console.error(line)));
} catch (error) {
  console.error(error instanceof MillraceError ? error.message : error);
  process.exitCode = 1;
}
