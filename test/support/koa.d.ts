/** As much of Koa as the tests use: @types/koa takes the types of another content-disposition than it wants. */
declare module "koa" {
  import type { Server } from "node:http";

  export interface Context {
    readonly path: string;
    readonly state: Record<string, unknown>;
    body: unknown;
    throw(status: number, message: string): never;
  }

  export default class Koa {
    silent: boolean;
    use(middleware: (context: Context, next: () => Promise<void>) => unknown): this;
    listen(port: number, host: string): Server;
  }
}
