// @ts-check
import { writeFileSync } from "node:fs";
import Mocha from "mocha";

/**
 * Mocha's spec reporter that also writes the counts to the file named by HAUBERK_TEST_RESULT. A
 * run that ends early (process.exit() in a test, a crash) writes nothing.
 */
// oxlint-disable-next-line import/no-default-export -- mocha takes a reporter from the default export
export default class ResultReporter extends Mocha.reporters.Spec {
  /**
   * @param {Mocha.Runner} runner
   * @param {Mocha.MochaOptions} options
   */
  constructor(runner, options) {
    super(runner, options);
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const file = process.env["HAUBERK_TEST_RESULT"];
      if (file === undefined) return;
      const { passes, failures, pending } = this.stats;
      writeFileSync(file, JSON.stringify({ passed: passes, failed: failures, skipped: pending }));
    });
  }
}
