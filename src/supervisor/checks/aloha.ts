import { type AlohaPart, probeAloha } from '../../aloha/health.ts';
import { hostConfig } from '../../config/load.ts';
import { AutomationError } from '../../core/errors.ts';
import { exitCodes } from '../../core/exit-codes.ts';
import { degraded, type Finding, unknown, wrong } from '../../core/finding.ts';
import { judgeGui } from '../../windows/gui-gate.ts';
import { isSshFailure } from '../ssh-failure.ts';
import { type Check, type CheckContext, judge } from '../verdict.ts';

const guestPorts: Readonly<Record<AlohaPart, number>> = { aloha_server: 7_887, aloha_client: 7_888 };

const checkAloha =
  (part: AlohaPart): Check =>
  (context) => {
    const { loaded, host, windows, signal } = context;
    const { aloha } = hostConfig(loaded.config, host);
    const options = { aloha, timeoutMs: loaded.config.timeout, attempts: 1, signal };
    return judge(part, signal, async () => {
      try {
        const finding = await probeAloha(part, windows, options);
        return finding.state === 'ok' && part === 'aloha_client' ? await withDesktop(finding, context) : finding;
      } catch (error) {
        return explain(error, part, context);
      }
    });
  };

/** Whether the Aloha server answers as itself. */
export const checkAlohaServer = checkAloha('aloha_server');

/** Whether the Aloha client answers as itself, and has a desktop to work on. */
export const checkAlohaClient = checkAloha('aloha_client');

/** A client that answers is of no use on a desktop that is locked. What SSH can't tell now, its own check says. */
async function withDesktop(finding: Finding, { windows, signal }: CheckContext): Promise<Finding> {
  if (!(await isReachable({ windows, signal }))) return finding;
  const gate = judgeGui((await windows.script('sessions', {}, { signal })).sessions);
  return gate.state === 'open' ? finding : degraded(gate.reason, gate.message, []);
}

/** The cause and not the symptom: the process is gone, or its port is not forwarded, or SSH itself is down. */
async function explain(error: unknown, part: AlohaPart, context: CheckContext): Promise<Finding> {
  context.signal.throwIfAborted();
  if (isSshFailure(error)) return unknown('ssh_down', `not asked: ${error.message}`);
  if (!(error instanceof AutomationError)) throw error;
  if (error.code !== 'http_unreachable' || !(await isReachable(context))) throw error;
  const port = guestPorts[part];
  const { ports } = await context.windows.script('ports', { ports: [port] }, { signal: context.signal });
  const isListening = ports[0]?.listening === true;
  const detail = isListening
    ? `${error.message}; inside Windows ${ports[0]?.process} listens on ${port}: the port is not forwarded to here`
    : `${error.message}; inside Windows nobody listens on ${port}: it is not running`;
  const hint = isListening ? 'check the port forwarding of the VM' : 'win-automation supervisor run --once starts it';
  return wrong(isListening ? 'not_forwarded' : 'not_running', detail, [hint], exitCodes.unavailable);
}

async function isReachable({ windows, signal }: Pick<CheckContext, 'windows' | 'signal'>): Promise<boolean> {
  return windows.connection(signal).then(
    () => true,
    () => false,
  );
}
