export { parseAuthority, type Authority } from "./authority.ts";
export { evaluatePreconditions, ifRangeHolds, type Validators } from "./conditional-request.ts";
export { type Coding, selectCoding } from "./content-encoding.ts";
export { matchesEntityTag } from "./entity-tag.ts";
export { formatHttpDate, parseHttpDate } from "./http-date.ts";
export { type ByteRange, parseRange, type RangeRequest } from "./range.ts";
export { parseRequestPath, type RequestPath } from "./request-path.ts";
