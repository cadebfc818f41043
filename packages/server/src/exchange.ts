import type { AccessLog } from "./access-log.ts";
import type { Answer, Decision, Fields } from "./answer.ts";
import type { ApplicationCall } from "./application.ts";
import type { ServerEvent } from "./config.ts";
import type { Admission } from "./request-gate.ts";
import type { RequestHead } from "./request-head.ts";
import type { Stages } from "./stages.ts";

/** What the readers of all protocols share. */
export interface ExchangeContext {
  readonly stages: Stages;
  readonly callApplication: ((call: ApplicationCall) => void) | undefined;
  readonly accessLog: AccessLog;
  readonly onEvent: (event: ServerEvent) => void;
  /** The client's address, behind trusted proxies if there are any. */
  readonly addressOf: (
    remoteAddress: string | undefined,
    field: (name: string) => string | undefined,
  ) => string;
}

/** One request being answered over one protocol. */
export interface Exchange {
  readonly scheme: "https" | "http";
  readonly admission: Admission;
  writeAnswer(answer: Answer): void;
  handOver(head: RequestHead, fields: Fields): void;
}

/** Decides on a request and gives the decision to the protocol's writer. Never throws. */
export function runExchange({ stages, onEvent }: ExchangeContext, exchange: Exchange): void {
  const { admission, scheme } = exchange;
  if (admission.kind === "refused") {
    exchange.writeAnswer(stages.refuse(admission.status, scheme));
    return;
  }
  const { head } = admission;
  const settle = (decision: Decision): void => {
    if (decision.kind === "answer") exchange.writeAnswer(decision);
    else exchange.handOver(head, decision.fields);
  };
  const fail = (error: unknown): void => {
    onEvent({ kind: "request-failed", error });
    exchange.writeAnswer(stages.refuse(500, scheme, head));
  };
  try {
    const decision = stages.decide(head);
    if (decision instanceof Promise) decision.then(settle).catch(fail);
    else settle(decision);
  } catch (error) {
    fail(error);
  }
}
