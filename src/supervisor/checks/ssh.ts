import { found } from '../../core/finding.ts';
import { connect } from '../../windows/connection.ts';
import { addressOf, sshTarget } from '../../windows/target.ts';
import { type Check, judge } from '../verdict.ts';

/** Whether an SSH session can be had: TCP, host key and authentication. */
export const checkSsh: Check = ({ loaded, host, logger, signal }) =>
  judge('ssh', signal, async () => {
    const target = sshTarget(loaded, host);
    const connection = await connect({ ...target, attempts: 1 }, { logger, signal });
    await connection.close();
    return found('connected', `a session as ${addressOf(target)}`);
  });
