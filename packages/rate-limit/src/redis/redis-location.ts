/** Where Redis is and how to get in. */
export interface RedisLocation {
  readonly topology: "single" | "sentinel" | "cluster";
  /** The servers to ask first: the server itself, the sentinels, or some nodes of the cluster. */
  readonly nodes: readonly RedisNode[];
  readonly isTls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  /** Name under which the sentinels know the master; empty otherwise. */
  readonly masterName: string;
}

export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

const FORMS =
  "redis://host:6379/0, redis+sentinel://host:26379,host:26379/master-name/0 or redis+cluster://host:6379,host:6379";

const URL_PARTS =
  /^redis(s?)(?:\+(sentinel|cluster))?:\/\/(?:([^@/]*)@)?([^/?#@]+)(?:\/([^?#]*))?$/;
const NODE = /^(?:\[([0-9a-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/i;
const DEFAULT_PORTS = { single: 6379, sentinel: 26_379, cluster: 6379 };

/**
 * Returns what a URL says: `redis://user:password@host:6379/0` for one server,
 * `redis+sentinel://:password@host:26379,host:26379/master-name/0` and
 * `redis+cluster://host:6379,host:6379` for the other two; `rediss` in place of `redis` for TLS.
 * User and password are percent-decoded.
 *
 * @throws {SyntaxError} If the URL has another form. The message does not repeat it: it may hold a
 * password.
 */
export function parseRedisUrl(url: string): RedisLocation {
  const match = URL_PARTS.exec(url);
  if (match === null) throw malformed("it has another form");
  const [, tls, topologyName, credentials, hosts, path = ""] = match;
  const topology =
    topologyName === "sentinel" || topologyName === "cluster" ? topologyName : "single";
  const nodes = hosts!.split(",").map((text) => parseNode(text, DEFAULT_PORTS[topology]));
  if (topology === "single" && nodes.length > 1) throw malformed("one server has one host");
  return {
    topology,
    nodes,
    isTls: tls === "s",
    ...parseCredentials(credentials ?? ""),
    ...parsePath(topology, path),
  };
}

function parseNode(text: string, defaultPort: number): RedisNode {
  const match = NODE.exec(text);
  const port = Number(match?.[3] ?? defaultPort);
  if (match === null || port < 1 || port > 65_535) throw malformed("a host or port is malformed");
  return { host: (match[1] ?? match[2])!, port };
}

function parseCredentials(text: string): Pick<RedisLocation, "username" | "password"> {
  const colon = text.indexOf(":");
  const username = colon === -1 ? text : text.slice(0, colon);
  const password = colon === -1 ? "" : text.slice(colon + 1);
  try {
    return {
      username: username === "" ? undefined : decodeURIComponent(username),
      password: password === "" ? undefined : decodeURIComponent(password),
    };
  } catch {
    // decodeURIComponent throws URIError alone, and its message would add nothing.
    throw malformed("its credentials are not percent-encoded");
  }
}

function parsePath(
  topology: RedisLocation["topology"],
  path: string,
): Pick<RedisLocation, "database" | "masterName"> {
  const [first = "", ...rest] = path.split("/");
  const masterName = topology === "sentinel" ? decodeURIComponent(first) : "";
  if (topology === "sentinel" && masterName === "") throw malformed("the master has no name");
  const [database = "", ...surplus] = topology === "sentinel" ? rest : [first, ...rest];
  if (!/^\d{0,4}$/.test(database) || surplus.length > 0) {
    throw malformed("its database is no number");
  }
  if (topology === "cluster" && Number(database) !== 0) {
    throw malformed("a cluster has no databases");
  }
  return { database: Number(database), masterName };
}

function malformed(reason: string): SyntaxError {
  return new SyntaxError(`Cannot read Redis URL: ${reason}; wanted ${FORMS}`);
}
