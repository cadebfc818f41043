export type {
  ReportCollectorEvent,
  ReportCollectorOptions,
  ReportPageOptions,
} from "./collector-options.ts";
export { openJsonLinesReportStore } from "./json-lines-report-store.ts";
export { memoryReportStore } from "./memory-report-store.ts";
export type { MemoryReportStore } from "./memory-report-store.ts";
export { openReportStore } from "./open-report-store.ts";
export { proposePolicy } from "./policy-proposal.ts";
export type {
  DeclinedChange,
  PolicyChange,
  PolicyProposal,
  ProposePolicyOptions,
} from "./policy-proposal.ts";
export { readReportEntries } from "./read-report-entries.ts";
export { redisReportStore } from "./redis-report-store.ts";
export type { RedisCommands, RedisReportStoreOptions } from "./redis-report-store.ts";
export { reportCollector } from "./report-collector.ts";
export type { ReportCollector } from "./report-collector.ts";
export { reportingHeaders } from "./reporting-headers.ts";
export type { IntakeTotals, ReportLimiter } from "./report-intake.ts";
export type { DropReason } from "./report-parser.ts";
export type { ReportStore, ReportStoreOptions } from "./report-store.ts";
export { hasSqlite, openSqliteReportStore } from "./sqlite-report-store.ts";
export type { ReportEntry, ReportKind, Violation } from "./violation.ts";
