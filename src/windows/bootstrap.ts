import { composeScript } from './powershell/compose.ts';
import type { ScriptInput } from './powershell/contracts.ts';
import { scripts } from './powershell/scripts.ts';
import { firewallRules } from './status.ts';

/**
 * What `bootstrap.ps1` is to do.
 *
 * @param authorizedKey a line of authorized_keys, or empty for none
 * @param remoteAddress who may reach the ports: an address, a network or `Any`
 */
export function bootstrapRequest(authorizedKey: string, remoteAddress: string): ScriptInput<'bootstrap'> {
  return { authorized_key: authorizedKey, ports: [...firewallRules], remote_address: remoteAddress };
}

/** The same as a script to run by hand, as administrator. It prints one JSON document. */
export function bootstrapScript(request: ScriptInput<'bootstrap'>): string {
  return composeScript(scripts.bootstrap, request);
}
