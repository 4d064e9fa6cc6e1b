/**
 * A reporter of vitest that writes down what happens as it happens, one line of JSON each, to the
 * file that `RESULTS` names: a run that is stopped in the middle leaves what it has found by then.
 *
 * - `{began: FILE}` and `{ended: FILE}`: the tests of a file run in between.
 * - `{file, test, passed, messages}`: a test that ran, or a group whose hooks failed; without
 *   `test` it is about the file.
 */
import { appendFileSync } from 'node:fs';

const path = process.env.RESULTS ?? 'results.jsonl';

function note(line) {
  appendFileSync(path, `${JSON.stringify(line)}\n`);
}

function messagesOf(errors) {
  return errors.map(({ stack, message }) => stack ?? message);
}

class Results {
  onTestModuleStart({ relativeModuleId }) {
    note({ began: relativeModuleId });
  }

  onTestCaseResult(test) {
    const { state, errors = [] } = test.result();
    if (state === 'skipped') return;
    const { relativeModuleId: file } = test.module;
    const passed = state === 'passed';
    note({ file, test: test.fullName, passed, messages: messagesOf(errors) });
  }

  onTestSuiteResult(suite) {
    const messages = messagesOf(suite.errors());
    if (messages.length === 0) return;
    const { relativeModuleId: file } = suite.module;
    note({ file, test: suite.fullName, passed: false, messages });
  }

  onTestModuleEnd(module) {
    const { relativeModuleId: file } = module;
    const messages = messagesOf(module.errors());
    if (messages.length > 0) note({ file, passed: false, messages });
    note({ ended: file });
  }

  onTestRunEnd(_modules, errors) {
    if (errors.length > 0) note({ file: 'the run', passed: false, messages: messagesOf(errors) });
  }
}

export default Results;
