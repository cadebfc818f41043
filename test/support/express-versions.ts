import { createRequire } from "node:module";
import express from "express";

/** Express as an application imports it. Both versions do what the tests do with them. */
export interface ExpressVersion {
  readonly name: string;
  readonly express: typeof express;
}

const require = createRequire(import.meta.url);

export const EXPRESS_VERSIONS: readonly ExpressVersion[] = [
  { name: "Express 4", express: require("express-4") as typeof express },
  { name: "Express 5", express },
];
