import { randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname } from 'node:path';
import { ofetch } from 'ofetch';
import * as v from 'valibot';
import { milliseconds } from '../core/duration.ts';
import { AutomationError, messageOf } from '../core/errors.ts';
import type { Lab } from './lab.ts';
import { faults } from './state.ts';

const callTimeoutMs = milliseconds(5_000);

const fileSchema = v.object({ pid: v.number(), url: v.string(), token: v.string() });
const requestSchema = v.object({ fault: v.picklist(faults), on: v.boolean() });

export interface LabControl {
  close(): Promise<void>;
}

/**
 * Lets another process switch faults: an HTTP server on loopback, whose address and token stand in a file that only its
 * owner may read.
 */
export function serveControl(lab: Lab, file: string, pid: number): Promise<LabControl> {
  const token = randomBytes(24).toString('base64url');
  const wanted = Buffer.from(`Bearer ${token}`);
  const server = createServer((request, response) => {
    const given = Buffer.from(request.headers.authorization ?? '');
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return void response.writeHead(404).end();
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString('utf8');
    });
    return void request.on('end', () => {
      const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), requestSchema), body);
      if (!parsed.success) return void response.writeHead(400).end();
      const { fault, on } = parsed.output;
      lab.setFault(fault, on).then(
        () => response.end(JSON.stringify({ faults: [...lab.state.faults] })),
        (error: unknown) => response.writeHead(500).end(messageOf(error)),
      );
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      writeFileSync(`${file}.tmp`, JSON.stringify({ pid, url: `http://127.0.0.1:${port}`, token }), { mode: 0o600 });
      renameSync(`${file}.tmp`, file);
      const close = () =>
        new Promise<void>((closed) => {
          rmSync(file, { force: true });
          server.close(() => closed());
          server.closeAllConnections();
        });
      resolve({ close });
    });
  });
}

/**
 * Switches a fault of a lab that runs in another process.
 *
 * @returns the faults that are on now
 * @throws AutomationError `http_unreachable` if no lab runs
 */
export async function switchFault(file: string, fault: string, isOn: boolean, signal: AbortSignal): Promise<string[]> {
  const none = (cause: unknown) =>
    new AutomationError('http_unreachable', 'no lab is running', { hint: 'start one: win-automation lab', cause });
  let control: v.InferOutput<typeof fileSchema>;
  try {
    control = v.parse(fileSchema, JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw none(error);
  }
  const answer = await ofetch<unknown>(control.url, {
    method: 'POST',
    body: { fault, on: isOn },
    headers: { authorization: `Bearer ${control.token}` },
    retry: 0,
    timeout: callTimeoutMs,
    signal,
  }).catch((error: unknown) => {
    throw none(error);
  });
  return v.parse(v.object({ faults: v.array(v.string()) }), answer).faults;
}
