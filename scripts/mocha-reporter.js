// @ts-check
import { writeFileSync } from "node:fs";
import Mocha from "mocha";

const DEFAULT_LINGER_MS = 5000;

/**
 * Mocha's spec reporter that also writes the counts to the file named by HAUBERK_TEST_RESULT. A
 * run that ends early (process.exit() in a test, a crash) writes nothing.
 *
 * When something keeps the process running after the tests (a server, a socket, a timer), it is
 * named in the file and the process ended, instead of hanging. `lingerMs` among the reporter
 * options says how long it may take to end by itself.
 */
// oxlint-disable-next-line import/no-default-export -- mocha takes a reporter from the default export
export default class ResultReporter extends Mocha.reporters.Spec {
  /**
   * @param {Mocha.Runner} runner
   * @param {Mocha.MochaOptions} options
   */
  constructor(runner, options) {
    super(runner, options);
    const file = process.env["HAUBERK_TEST_RESULT"];
    if (file === undefined) return;
    const { lingerMs = DEFAULT_LINGER_MS } = /** @type {{ lingerMs?: string }} */ (
      options.reporterOptions ?? {}
    );
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const { passes: passed, failures: failed, pending: skipped } = this.stats;
      writeFileSync(file, JSON.stringify({ passed, failed, skipped, open: [] }));
      setTimeout(() => {
        const open = process.getActiveResourcesInfo();
        writeFileSync(file, JSON.stringify({ passed, failed, skipped, open }));
        process.exit();
      }, Number(lingerMs)).unref();
    });
  }
}
