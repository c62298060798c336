import type { HttpAnswer } from '../http/request.ts';

/** What `GET /` of the Aloha server answers, exactly. */
const serverGreeting = 'Aloha API server is running';

/** The lines to type on Windows where the firewall holds Aloha's ports back (context.md, "Common issue"). */
export const alohaFirewallRules: readonly string[] = [
  'New-NetFirewallRule -DisplayName Aloha-7887 -Direction Inbound -Action Allow -Protocol TCP -LocalPort 7887 -Profile Any',
  'New-NetFirewallRule -DisplayName Aloha-7888 -Direction Inbound -Action Allow -Protocol TCP -LocalPort 7888 -Profile Any',
];

/** Whether an answer to `GET /` is the Aloha server's. */
export function isAlohaServer({ status, body }: HttpAnswer): boolean {
  return status === 200 && body.trim() === serverGreeting;
}

/**
 * Whether an answer to `GET /run_task` is the Aloha client's. It has no health route; refusing a GET there, and naming
 * POST, is what it does and changes nothing.
 */
export function isAlohaClient({ status, headers }: HttpAnswer): boolean {
  const allowed = headers.get('allow')?.split(',') ?? [];
  return status === 405 && allowed.some((method) => method.trim() === 'POST');
}
