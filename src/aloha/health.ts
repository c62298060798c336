import { type Finding, found, wrong } from '../core/finding.ts';
import { explainHang } from '../http/hang.ts';
import type { HttpAnswer } from '../http/request.ts';
import type { WindowsHost } from '../windows/host.ts';
import { type AlohaApi, type AlohaOptions, openAloha } from './client.ts';

/** What `GET /` of the Aloha server answers, exactly. */
const serverGreeting = 'Aloha API server is running';

/** The lines to type on Windows where the firewall holds Aloha's ports back (context.md, "Common issue"). */
const alohaFirewallRules: readonly string[] = [
  'New-NetFirewallRule -DisplayName Aloha-7887 -Direction Inbound -Action Allow -Protocol TCP -LocalPort 7887 -Profile Any',
  'New-NetFirewallRule -DisplayName Aloha-7888 -Direction Inbound -Action Allow -Protocol TCP -LocalPort 7888 -Profile Any',
];

export type AlohaPart = 'aloha_server' | 'aloha_client';

/** How each half is asked, and how it is known. */
const parts = {
  aloha_server: {
    ask: (api: AlohaApi) => api.askServer(),
    urlOf: (api: AlohaApi) => `${api.serverUrl}/`,
    isItself: ({ status, body }: HttpAnswer) => status === 200 && body.trim() === serverGreeting,
  },
  aloha_client: {
    ask: (api: AlohaApi) => api.askClient(),
    urlOf: (api: AlohaApi) => `${api.clientUrl}/run_task`,
    // It has no health route; refusing a GET there, and naming POST, is what it does and changes nothing.
    isItself: ({ status, headers }: HttpAnswer) =>
      status === 405 && (headers.get('allow')?.split(',') ?? []).some((method) => method.trim() === 'POST'),
  },
} as const;

/**
 * Whether one half of Aloha answers as itself. One try.
 *
 * @throws AutomationError `http_unreachable`, `timeout`, and what `connect` throws where the transport is SSH
 */
export async function probeAloha(part: AlohaPart, host: WindowsHost, options: AlohaOptions): Promise<Finding> {
  const { timeoutMs, signal } = options;
  await using api = await openAloha(host, { ...options, attempts: 1 });
  const { ask, urlOf, isItself } = parts[part];
  const url = urlOf(api);
  try {
    const answer = await ask(api);
    if (isItself(answer)) return found('answers', `${url} in ${answer.durationMs} ms`);
    const detail = `${url} answers ${answer.status}, but not as Aloha does`;
    return wrong('not_aloha', detail, ['is another program listening on that port?']);
  } catch (error) {
    return explainHang(error, url, alohaFirewallRules, timeoutMs, signal);
  }
}
