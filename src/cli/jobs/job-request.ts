import { hostConfig } from '../../config/load.ts';
import { durationFlag } from '../../core/duration.ts';
import { makeTraceId } from '../../core/ids.ts';
import type { ScheduleRequest } from '../../jobs/engine.ts';
import { jobTypeOf, jobTypes } from '../../jobs/job-types.ts';
import type { Shell } from '../../windows/shells.ts';
import { alohaFlags } from '../aloha/run.ts';
import type { Invocation, Session } from '../invocation.ts';
import { parseInput, wholeNumber } from '../job-input.ts';
import { playwrightFlags } from '../playwright/run.ts';
import { refuseOtherShells, runFlags } from '../windows/run-flags.ts';
import { type InputFlags, inputOf } from './enqueue-input.ts';

const { detach: _, ...alohaJobFlags } = alohaFlags;

/** The flags that say what a job is to do, now or later. */
export const jobFlags = {
  type: {
    type: 'string',
    valueHint: 'TYPE',
    description: jobTypes.map(({ name, description }) => `${name}: ${description}`).join('; '),
    required: true,
  },
  input: { type: 'string', valueHint: 'JSON|@FILE', description: 'the whole input as JSON' },
  timeout: {
    type: 'string',
    valueHint: 'D',
    description: 'the longest one try may take (default: hatchet.job_timeout)',
  },
  priority: { type: 'string', valueHint: 'N', description: 'higher goes first, 0 to 100 (default: 0)' },
  shell: { type: 'string', valueHint: 'SHELL', description: 'windows.exec: auto, cmd, powershell or pwsh' },
  file: { type: 'string', valueHint: 'FILE', description: 'windows.script: the .ps1 file' },
  flow: { type: 'string', valueHint: 'FILE', description: 'playwright.run: a flow file of the machine that runs it' },
  days: { type: 'string', valueHint: 'N', description: 'artifacts.gc: days to keep' },
  'dry-run': { type: 'boolean', description: 'only say what would be done: artifacts.gc, supervisor.pass' },
  ...alohaJobFlags,
  ...playwrightFlags,
  param: {
    type: 'string',
    valueHint: 'NAME[=VALUE]',
    description: 'a parameter of the script or the flow; may be given again',
  },
  with: {
    type: 'string',
    valueHint: 'DIR',
    description:
      'windows.script: a folder of this machine that is beside the script, at most 1 MiB; may be given again',
  },
  ...runFlags,
  'idempotent-check': {
    type: 'string',
    valueHint: 'PS',
    description: 'PowerShell that exits 0, its last value not $false, if there is nothing to do',
  },
} as const;

interface JobFlags extends InputFlags {
  readonly type: string;
  readonly timeout?: string | undefined;
  readonly priority?: string | undefined;
}

/**
 * Reads the job that a command line means, and checks its input: before any engine is opened.
 *
 * @returns the request, once the configuration is known
 * @throws ProblemsError `usage` with every fault of the input
 */
export async function jobRequest(
  { args: given, words }: Invocation,
  args: JobFlags,
): Promise<(session: Session) => Omit<ScheduleRequest, 'name' | 'time'>> {
  const type = jobTypeOf(args.type);
  const timeoutFlagMs = args.timeout === undefined ? undefined : durationFlag('timeout', args.timeout, 1_000);
  const priority = wholeNumber('priority', args.priority) ?? 0;
  const input = parseInput(type, await inputOf(type.name, args, given, words));
  return ({ loaded, host }) => {
    if (type.name === 'windows.exec') {
      const { shell: defaultShell } = hostConfig(loaded.config, host).windows;
      const given = (args.shell ?? 'auto') as Shell;
      refuseOtherShells(args, given === 'auto' ? defaultShell : given);
    }
    const { job_timeout, retry_max, retry_backoff } = loaded.config.hatchet;
    return {
      traceId: makeTraceId(),
      type: type.name,
      isGui: type.isGui,
      host,
      input,
      timeoutMs: timeoutFlagMs ?? job_timeout,
      maxAttempts: retry_max + 1,
      backoffMs: retry_backoff,
      priority,
    };
  };
}
