import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  fingerprintOf,
  judgeHostKey,
  keyTypeOf,
  knownHostLine,
  knownHostName,
  matchesHost,
  parseKnownHosts,
  preferredKeyTypes,
} from '../../src/windows/known-hosts.ts';

/** A key in SSH wire format: the type, then bytes that stand for it. */
function wireKey(type: string, content: string): Buffer {
  const field = (bytes: Buffer) => Buffer.concat([Buffer.from(new Uint32Array([bytes.length]).buffer).swap32(), bytes]);
  return Buffer.concat([field(Buffer.from(type)), field(Buffer.from(content))]);
}

const ours = wireKey('ssh-ed25519', 'ours');
const other = wireKey('ssh-ed25519', 'other');
const rsa = wireKey('ssh-rsa', 'rsa');
const judge = (text: string, host = 'vm', port = 22_555, key = ours) =>
  judgeHostKey(parseKnownHosts(text, 'kh'), host, port, key);
const line = (hosts: string, key = ours) => `${hosts} ${keyTypeOf(key)} ${key.toString('base64')}\n`;

function hashed(name: string): string {
  const salt = randomBytes(20);
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
}

describe('known hosts', () => {
  it('know a host by its key, its port, and in any case', () => {
    assert.equal(judge(line('[vm]:22555')).state, 'known');
    assert.equal(judge(line('[VM]:22555'), 'Vm').state, 'known');
    assert.equal(judge(line('vm'), 'vm', 22).state, 'known');
    assert.equal(judge(line('vm')).state, 'unknown');
    assert.equal(judge(line('[vm]:22556')).state, 'unknown');
  });

  it('know hashed names', () => {
    assert.equal(judge(line(hashed('[vm]:22555'))).state, 'known');
    assert.equal(judge(line(hashed('[vm2]:22555'))).state, 'unknown');
    assert.equal(judge(line('|1|broken')).state, 'unknown');
  });

  it('tell a changed key, and where the old one stands', () => {
    const verdict = judge(`# comment\n\n${line('[vm]:22555', other)}`);
    assert.equal(verdict.state, 'changed');
    assert.equal(verdict.state === 'changed' && verdict.entry.source, 'kh:3');
  });

  it('take a key of another type only for changed, too: the known types were asked for first', () => {
    assert.equal(judge(line('[vm]:22555', rsa)).state, 'changed');
    assert.equal(judge(`${line('[vm]:22555', rsa)}${line('[vm]:22555')}`).state, 'known');
  });

  it('refuse a revoked key even where another line trusts it', () => {
    assert.equal(judge(`${line('[vm]:22555')}@revoked ${line('*')}`).state, 'revoked');
    assert.equal(judge(`${line('[vm]:22555')}@revoked ${line('*', other)}`).state, 'known');
  });

  it('never take a certificate authority for a host key', () => {
    assert.equal(judge(`@cert-authority ${line('[vm]:22555')}`).state, 'unknown');
  });

  it('understand patterns and their negation', () => {
    assert.ok(matchesHost('*.lan,!bad.lan', 'a.lan'));
    assert.ok(!matchesHost('*.lan,!bad.lan', 'bad.lan'));
    assert.ok(matchesHost('v?', 'vm'));
    assert.ok(!matchesHost('v?', 'vmm'));
    assert.ok(!matchesHost('a.b', 'axb'));
  });

  it('ask for the types that are known, all three algorithms of an RSA key', () => {
    const types = (text: string) => preferredKeyTypes(parseKnownHosts(text, 'kh'), 'vm', 22_555);
    assert.deepEqual(types(line('[vm]:22555', rsa)), ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa']);
    assert.deepEqual(types(line('[other]:22555', rsa)), []);
  });

  it('read back the line that is written for a new key', () => {
    fc.assert(
      fc.property(
        fc.domain(),
        fc.integer({ min: 1, max: 65_535 }),
        fc.uint8Array({ minLength: 1 }),
        (host, port, bytes) => {
          const key = wireKey('ssh-ed25519', Buffer.from(bytes).toString('hex'));
          assert.equal(judge(`${knownHostLine(host, port, key)}\n`, host, port, key).state, 'known');
        },
      ),
    );
  });

  it('never fail on a file that makes no sense', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.notEqual(judge(text).state, 'known');
      }),
    );
  });

  it('name a host as OpenSSH does', () => {
    assert.equal(knownHostName('::1', 22_555), '[::1]:22555');
    assert.equal(knownHostName('VM', 22), 'vm');
  });

  it('print a fingerprint as ssh-keygen does', () => {
    assert.match(fingerprintOf(ours), /^SHA256:[A-Za-z0-9+/]{43}$/);
  });
});
