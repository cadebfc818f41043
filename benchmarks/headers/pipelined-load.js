// @ts-check
import { once } from "node:events";
import { connect } from "node:net";

const PIPELINE = 16;

/**
 * Sends requests over one connection, 16 at a time, until `count` are answered. Counts responses by
 * their bytes, all having the same length, so that the load costs as little as possible.
 *
 * @param {number} port
 * @param {number} count
 */
export async function load(port, count) {
  const socket = connect(port, "127.0.0.1").setNoDelay(true);
  await once(socket, "connect");
  const request = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
  const responseBytes = await firstResponse(socket, request);
  let received = 0;
  let sent = 0;
  const send = () => {
    const batch = Math.min(PIPELINE, count - sent);
    sent += batch;
    socket.write(request.repeat(batch));
  };
  socket.on("data", (chunk) => {
    received += chunk.length;
    if (received >= count * responseBytes) socket.emit("answered");
    else if (received >= sent * responseBytes) send();
  });
  send();
  await once(socket, "answered");
  socket.destroy();
}

/**
 * @param {import("node:net").Socket} socket
 * @param {string} request
 */
async function firstResponse(socket, request) {
  socket.write(request);
  let text = "";
  while (!text.includes("\r\n\r\n")) {
    const [chunk] = await once(socket, "data");
    text += chunk.toString("latin1");
  }
  const head = text.indexOf("\r\n\r\n") + 4;
  const length = head + Number(/content-length: (\d+)/i.exec(text)?.[1]);
  while (text.length < length) {
    const [chunk] = await once(socket, "data");
    text += chunk.toString("latin1");
  }
  return length;
}
