import type { Readable, Writable } from "node:stream";

/** The parameters of a command or an event. */
export type Fields = Readonly<Record<string, unknown>>;

interface Message {
  readonly id?: number;
  readonly sessionId?: string;
  readonly method?: string;
  readonly params?: Fields;
  readonly result?: Fields;
  readonly error?: { readonly message: string };
}

interface Waiting {
  readonly method: string;
  resolve(result: Fields): void;
  reject(error: Error): void;
}

/** A conversation in the Chrome DevTools Protocol. */
export interface DevtoolsConnection {
  /** Resolves with the result of `method`; rejects with the browser's error, or when the conversation ends. */
  send(method: string, params?: Fields, sessionId?: string): Promise<Fields>;
  /** Calls `listener` with every event of the session. */
  onEvent(sessionId: string, listener: (method: string, params: Fields) => void): void;
}

/**
 * Speaks over the two pipes of `--remote-debugging-pipe`, where NUL ends a message: Node 20 has no
 * WebSocket client, and a pipe needs no port.
 *
 * @see https://chromedevtools.github.io/devtools-protocol/
 */
export function connectDevtools(input: Readable, output: Writable): DevtoolsConnection {
  const waiting = new Map<number, Waiting>();
  const listeners = new Map<string, (method: string, params: Fields) => void>();
  let lastId = 0;
  let unfinished = "";

  const settle = (id: number, { result = {}, error }: Message): void => {
    const command = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) command?.resolve(result);
    else command?.reject(new Error(`${command.method}: ${error.message}`));
  };
  const receive = (message: Message): void => {
    if (message.id !== undefined) settle(message.id, message);
    else listeners.get(message.sessionId ?? "")?.(message.method ?? "", message.params ?? {});
  };

  input.setEncoding("utf8");
  input.on("data", (chunk: string) => {
    const messages = (unfinished + chunk).split("\0");
    unfinished = messages.pop() ?? "";
    for (const message of messages) receive(JSON.parse(message) as Message);
  });
  input.on("close", () => {
    for (const command of waiting.values()) {
      command.reject(new Error(`${command.method}: the browser ended`));
    }
    waiting.clear();
  });
  output.on("error", () => undefined);

  return {
    send: (method, params = {}, sessionId) =>
      new Promise((resolve, reject) => {
        const id = ++lastId;
        waiting.set(id, { method, resolve, reject });
        output.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
      }),
    onEvent: (sessionId, listener) => {
      listeners.set(sessionId, listener);
    },
  };
}
