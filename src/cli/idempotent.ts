import { AutomationError } from '../core/errors.ts';

/** The flags of everything that can be skipped where it is done already. */
export const idempotentFlags = {
  idempotent: { type: 'boolean', description: 'skip it where the check holds' },
  'idempotent-check': {
    type: 'string',
    valueHint: 'PS',
    description: 'PowerShell that exits 0, its last value not $false, if there is nothing to do',
  },
} as const;

/** @throws AutomationError `usage` where only one of the two is given */
export function idempotentCheckOf(args: {
  readonly idempotent?: boolean | undefined;
  readonly 'idempotent-check'?: string | undefined;
}): string | undefined {
  const check = args['idempotent-check'];
  if ((args.idempotent ?? false) === (check !== undefined)) return check;
  throw new AutomationError('usage', '--idempotent and --idempotent-check PS go together');
}
