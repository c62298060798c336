import * as v from 'valibot';
import { AutomationError, messageOf } from '../../core/errors.ts';
import { type ContractName, contracts, type ScriptOutput } from './contracts.ts';

/** Checks what a script of ours printed against its contract. @throws AutomationError `remote_unexpected` */
export function parseAnswer<N extends ContractName>(name: N, answer: string): ScriptOutput<N> {
  const refuse = (reason: string) =>
    new AutomationError('remote_unexpected', `${name} gave no answer that makes sense: ${reason}`, {
      hint: 'is powershell on that host Windows PowerShell 5.1 or newer, and does its profile or policy print anything?',
      fields: { script: name, answer: answer.slice(0, 200) },
    });
  let document: unknown;
  try {
    document = JSON.parse(answer.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw refuse(messageOf(error));
  }
  const parsed = v.safeParse(contracts[name].output, document);
  if (parsed.success) return parsed.output as ScriptOutput<N>;
  throw refuse(parsed.issues.map((issue) => `${v.getDotPath(issue)}: ${issue.message}`).join('; '));
}
