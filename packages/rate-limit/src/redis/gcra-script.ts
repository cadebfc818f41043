import { createHash } from "node:crypto";
import { TICKS_PER_MS } from "../gcra.ts";

/**
 * GCRA over groups of keys, all or nothing within each group, in ticks of 1/90,090 ms.
 *
 * KEYS: the names of all groups, one group after the other.
 * ARGV: the time in milliseconds, or "" for that of Redis; the shape; then the tariffs, each as
 * cost, capacity and what to take ahead. A negative cost gives back. The shape has one character for
 * each key, of code 33 + 2 * tariff + 1 if the key is the last of its group: numbers for each key
 * took Redis 10 % longer, and the client twice as long.
 *
 * Returns the debt of each key with its cost, without what was taken ahead.
 *
 * Ticks since 1970 do not fit into the 2^53 of a Lua number, so arrival times are kept modulo 2^26
 * seconds. What is more than half of that away (388 days; no debt is above 366) lies in the past.
 */
const SOURCE = `
local TICKS_PER_MS = ${TICKS_PER_MS}
local WRAP_SECONDS = 67108864
local WRAP = WRAP_SECONDS * 1000 * TICKS_PER_MS
local floor, ceil, byte = math.floor, math.ceil, string.byte
local call = redis.call

local now
if ARGV[1] == '' then
  local time = call('TIME')
  now = (time[1] % WRAP_SECONDS) * 1000 * TICKS_PER_MS + floor(time[2] * TICKS_PER_MS / 1000)
else
  now = floor(ARGV[1] * TICKS_PER_MS) % WRAP
end

local shape = ARGV[2]
local costs, capacities, aheads = {}, {}, {}
for position = 3, #ARGV, 3 do
  local tariff = (position - 3) / 3
  costs[tariff] = tonumber(ARGV[position])
  capacities[tariff] = tonumber(ARGV[position + 1])
  aheads[tariff] = tonumber(ARGV[position + 2])
end

local function keep(key, debt)
  if debt <= 0 then
    call('DEL', key)
  else
    call('SET', key, (now + debt) % WRAP, 'PX', ceil(debt / TICKS_PER_MS))
  end
end

local debts, owed = {}, {}
local first, fits = 1, true
for index = 1, #KEYS do
  local code = byte(shape, index) - 33
  local tariff = floor(code / 2)
  local capacity = capacities[tariff]
  local arrival = call('GET', KEYS[index])
  local debt = 0
  if arrival then
    debt = (arrival - now) % WRAP
    if debt > WRAP / 2 then debt = 0 end
    if debt > capacity then
      debt = capacity
      keep(KEYS[index], debt)
    end
  end
  owed[index] = debt
  debt = debt + costs[tariff]
  if debt < 0 then debt = 0 end
  if debt > capacity then fits = false end
  debts[index] = debt

  if code % 2 == 1 then
    if fits then
      for member = first, index do
        local total = debts[member]
        if total ~= owed[member] then
          local of = floor((byte(shape, member) - 33) / 2)
          local ahead = aheads[of]
          if ahead > 0 and total + ahead <= capacities[of] / 2 then total = total + ahead end
          keep(KEYS[member], total)
        end
      end
    end
    first, fits = index + 1, true
  end
end
return debts
`;

/** A script, and the digest under which Redis keeps it. */
export interface Script {
  readonly source: string;
  readonly sha1: string;
}

export const GCRA_SCRIPT: Script = Object.freeze({
  source: SOURCE,
  sha1: createHash("sha1").update(SOURCE).digest("hex"),
});

/** Tells whether `debt` left so much room that the script took `ahead` too. */
export function isTakenAhead(debt: number, ahead: number, capacity: number): boolean {
  return ahead > 0 && debt + ahead <= capacity / 2;
}
