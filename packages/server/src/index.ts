export type { AccessLogFormat } from "./access-log.ts";
export type {
  Application,
  ConnectionsConfig,
  DataRateConfig,
  MemoryConfig,
  PagesConfig,
  ReportsConfig,
  ServerConfig,
  ServerEvent,
  TimeoutConfig,
} from "./config.ts";
export { createServer, type HauberkServer, type ServerAddresses } from "./create-server.ts";
export { ServerError, type ServerErrorCode } from "./errors.ts";
export { requireRoot } from "./root.ts";
export { nodeReleaseWarning } from "./node-release.ts";
