/** Express 4 under an alias, so that it has no types of its own: those of Express 5 serve as well. */
declare module "express-4" {
  import express from "express";

  export default express;
}
