import * as v from 'valibot';
import { executeScript } from '../../windows/exec.ts';
import { defineJobType } from '../job-type.ts';
import { idempotentCheck, runExecution } from './execution.ts';

/** A PowerShell script with named parameters. */
export const windowsScript = defineJobType({
  name: 'windows.script',
  description: 'a PowerShell script with parameters',
  isGui: false,
  needsHost: true,
  input: v.strictObject({
    script: v.pipe(v.string(), v.minLength(1), v.maxLength(1024 * 1024)),
    parameters: v.optional(v.record(v.pipe(v.string(), v.regex(/^[A-Za-z_][A-Za-z0-9_]*$/)), v.string()), {}),
    idempotent_check: idempotentCheck,
  }),
  run: ({ script, parameters, idempotent_check }, context) =>
    runExecution(context, (streams) =>
      executeScript(
        context.windows,
        { script, parameters, idempotentCheck: idempotent_check, streams },
        context.signal,
      ),
    ),
});
