import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { replaceFile } from '../config/replace-file.ts';
import { AutomationError, messageOf, systemCodeOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { components } from './verdict.ts';

const maxHistory = 200;

const breaker = v.object({ failures: v.number(), openedMs: v.nullable(v.number()) });
const component = v.picklist(components);
const line = v.object({
  component,
  state: v.string(),
  reason: v.string(),
  detail: v.string(),
  breaker: v.picklist(['closed', 'open', 'half_open']),
  remedy: v.string(),
});
const pass = v.object({ at: v.string(), state: v.string(), duration_ms: v.number(), components: v.array(line) });

const stateSchema = v.object({
  schema_version: v.literal(1),
  hosts: v.record(
    v.string(),
    v.object({
      breakers: v.partial(v.object(Object.fromEntries(components.map((name) => [name, breaker])))),
      last_pass: v.nullable(pass),
      /** What changed and what was repaired, the newest last. */
      history: v.array(v.object({ at: v.string(), component, event: v.string(), detail: v.string() })),
    }),
  ),
});

export type SupervisorState = v.InferOutput<typeof stateSchema>;
export type HostState = SupervisorState['hosts'][string];

export const emptyHostState: HostState = { breakers: {}, last_pass: null, history: [] };

/** Where the supervisor's memory is kept. */
export const statePath = (stateDir: string): string => join(stateDir, 'supervisor.json');

/** Reads the state; one that can't be read is set aside and said, and a new one begun. */
export async function readState(path: string, logger: Logger): Promise<SupervisorState> {
  const fresh: SupervisorState = { schema_version: 1, hosts: {} };
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return fresh;
    throw new AutomationError('io_failed', `${path}: ${messageOf(error)}`, { hint: 'check state_dir' });
  }
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), stateSchema), text);
  if (parsed.success) return parsed.output;
  const aside = `${path}.damaged-${Date.now()}`;
  await rename(path, aside);
  logger.warn('state', 'the state file is damaged and was set aside; breakers begin closed', { file: aside });
  return fresh;
}

const texts = new WeakMap<HostState, string>();

/** A host's memory is never changed, only replaced: of a fleet most of the text is as it was. */
function textOf(host: HostState): string {
  const known = texts.get(host);
  if (known !== undefined) return known;
  const fresh = JSON.stringify(host);
  texts.set(host, fresh);
  return fresh;
}

/** Writes the state; a kill at any moment leaves the old one or the new one. @throws AutomationError `io_failed` */
export async function writeState(path: string, state: SupervisorState): Promise<void> {
  try {
    const hosts = Object.entries(state.hosts).map(([name, host]) => `${JSON.stringify(name)}:${textOf(host)}`);
    await replaceFile(path, `{"schema_version":${state.schema_version},"hosts":{${hosts.join(',')}}}\n`);
  } catch (error) {
    throw new AutomationError('io_failed', `${path}: ${messageOf(error)}`, { hint: 'check state_dir' });
  }
}

/** A host's history with new events, the oldest dropped. */
export function withEvents(history: HostState['history'], events: HostState['history']): HostState['history'] {
  return [...history, ...events].slice(-maxHistory);
}
