import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { configJsonSchema } from '../../src/config/json-schema.ts';
import { settings } from '../../src/config/sections.ts';

type Node = { properties: Record<string, Node>; additionalProperties: unknown; default?: unknown; type?: string };
const schema = configJsonSchema() as unknown as Node;

describe('the JSON Schema of the configuration', () => {
  it('describes every setting, with its default', () => {
    for (const { section, name, setting } of settings) {
      const holder = section === '' ? schema : schema.properties[section];
      assert.ok(holder?.properties[name], `${section}.${name} is missing`);
      assert.equal(holder.properties[name]?.default, setting.fallback, `${section}.${name}`);
    }
  });

  it('is strict at every level', () => {
    assert.equal(schema.additionalProperties, false);
    assert.equal(schema.properties['windows']?.additionalProperties, false);
  });

  it('keeps bounds and choices', () => {
    const windows = schema.properties['windows']?.properties as Record<string, Record<string, unknown>>;
    assert.equal(windows['ssh_port']?.['maximum'], 65_535);
    assert.deepEqual(windows['ssh_host_key_policy']?.['enum'], ['accept-new', 'strict', 'insecure']);
  });
});
