import express from "express";
import { runServer } from "./running-server.ts";

/** The program that `forkServer` runs: a server with the configuration of its first argument. */
const config = JSON.parse(process.argv[2] ?? "{}") as Parameters<typeof runServer>[0];

/** Answers `/mounted/...` from a router, which changes `request.url` on the way. */
const app = express();
app.use(
  "/mounted",
  express.Router().use((request, response) => {
    response.send(request.url);
  }),
);

const server = await runServer({
  ...(config.root === undefined && { app }),
  ...config,
  onEvent: (event) => process.stderr.write(`${event.kind}\n`),
});
process.on("disconnect", () => void server.close());
process.send?.({ port: server.port, httpPort: server.httpPort, ca: server.ca });
