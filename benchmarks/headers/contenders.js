// @ts-check
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import fastifyHelmet from "@fastify/helmet";
import { fastify } from "fastify";
import helmet from "helmet";
import {
  compileSecurityHeaders,
  createNonce,
  cspNonce,
  securityHeaders,
} from "../../packages/headers/dist/index.js";

const BODY = Buffer.from("x".repeat(64));
const CONTENT = { "content-type": "text/plain", "content-length": String(BODY.length) };

const FLAT_CONTENT = Object.entries(CONTENT).flat();

/** The twelve headers of helmet, nothing more: what each sends is compared before it is measured. */
const SAME_AS_HELMET = /** @type {const} */ ({
  permissionsPolicy: false,
  strictTransportSecurity: { maxAge: 31_536_000 },
});
const WITHOUT_NONCE = {
  ...SAME_AS_HELMET,
  contentSecurityPolicy: { directives: { scriptSrc: ["'self'"] } },
};
const WITH_NONCE = {
  ...SAME_AS_HELMET,
  contentSecurityPolicy: { directives: { scriptSrc: ["'self'", "'nonce'"] } },
};

/** The usual recipe: a nonce from node:crypto, and a function in the policy that returns it. */
const HELMET_NONCE = {
  contentSecurityPolicy: {
    directives: {
      scriptSrc: [
        "'self'",
        (/** @type {any} */ _request, /** @type {any} */ response) => `'nonce-${response.nonce}'`,
      ],
    },
  },
};

/** @typedef {import("node:http").IncomingMessage} Request */
/** @typedef {import("node:http").ServerResponse} Response */

/** @param {(request: Request, response: Response, next: () => void) => void} middleware */
function behind(middleware) {
  return createServer((request, response) => {
    // As Express would say behind TLS: both sides send Strict-Transport-Security.
    Object.assign(request, { secure: true });
    middleware(request, response, () => response.writeHead(200, CONTENT).end(BODY));
  });
}

/** @param {() => readonly string[]} fields */
function writingFlat(fields) {
  return createServer((request, response) => {
    Object.assign(request, { secure: true });
    response.writeHead(200, [...fields(), ...FLAT_CONTENT]).end(BODY);
  });
}

/** @param {(app: import("fastify").FastifyInstance) => void} prepare */
async function fastifyBehind(prepare) {
  const app = fastify();
  prepare(app);
  app.get("/", (_request, reply) => reply.headers(CONTENT).send(BODY));
  await app.ready();
  return app.server;
}

/** @param {import("../../packages/headers/dist/index.js").SecurityHeadersOptions} options */
function adapted(options) {
  const setHeaders = securityHeaders(options);
  return (/** @type {import("fastify").FastifyInstance} */ app) => {
    app.addHook("onRequest", (request, reply, done) => {
      Object.assign(request.raw, { secure: true });
      setHeaders(request.raw, reply.raw, () => {
        done();
      });
    });
  };
}

/** Each returns a server that is not listening yet. */
export const CONTENDERS = {
  "node:http, no security headers": () => behind((_request, _response, next) => next()),
  helmet: () => behind(helmet()),
  "securityHeaders()": () => behind(securityHeaders(WITHOUT_NONCE)),
  "helmet, nonce": () => {
    const setHeaders = helmet(HELMET_NONCE);
    return behind((request, response, next) => {
      Object.assign(response, { nonce: randomBytes(16).toString("base64") });
      setHeaders(request, response, next);
    });
  },
  "securityHeaders(), nonce": () => {
    const setHeaders = securityHeaders(WITH_NONCE);
    return behind((request, response, next) => {
      setHeaders(request, response, () => {
        cspNonce(response);
        next();
      });
    });
  },
  "flat list, no security headers": () => writingFlat(() => []),
  "compiled list": () => {
    const fields = compileSecurityHeaders(WITHOUT_NONCE).fields({ secure: true });
    return writingFlat(() => fields);
  },
  "compiled list, nonce": () => {
    const headers = compileSecurityHeaders(WITH_NONCE);
    return writingFlat(() => headers.fieldsWithNonce({ secure: true, nonce: createNonce() }));
  },
  "Fastify, no security headers": () => fastifyBehind(() => undefined),
  "@fastify/helmet": () => fastifyBehind((app) => void app.register(fastifyHelmet)),
  "Fastify, securityHeaders()": () => fastifyBehind(adapted(WITHOUT_NONCE)),
  "@fastify/helmet, nonces": () =>
    fastifyBehind((app) => void app.register(fastifyHelmet, { enableCSPNonces: true })),
  "Fastify, securityHeaders(), nonce": () => fastifyBehind(adapted(WITH_NONCE)),
};
