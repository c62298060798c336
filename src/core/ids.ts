import { randomBytes, randomUUID } from 'node:crypto';

/** A job id: nobody else has it, and a folder can be called so. */
export const makeJobId = (): string => randomUUID();

/** A trace id as W3C Trace Context has it: 32 hexadecimal digits. */
export const makeTraceId = (): string => randomBytes(16).toString('hex');
