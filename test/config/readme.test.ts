import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { type Secret, secrets, settings } from '../../src/config/sections.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8').replace(/ +/g, ' ');

describe("the README's configuration table", () => {
  it('has a row for every setting and every secret, with its variable and its default', () => {
    for (const { key, env, setting } of settings) {
      const shown =
        setting.fallback === undefined ? '' : setting.fallback === '' ? ' empty' : ` \`${setting.fallback}\``;
      assert.ok(readme.includes(`| \`${key}\` | \`${env}\` |${shown} | ${setting.description} |`), key);
    }
    for (const { key, env } of Object.values<Secret>(secrets))
      assert.ok(readme.includes(`| (secret) \`${key}\` | \`${env}\` |`), key);
  });
});
