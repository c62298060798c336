import { toJsonSchema } from '@valibot/to-json-schema';
import { hostSections, type Setting, sections, settings } from './sections.ts';

type Schema = Readonly<Record<string, unknown>>;

/**
 * The JSON Schema (2020-12) of the configuration file, for editors and the NixOS module. Durations and addresses are
 * described by their written form; bounds that no pattern expresses stand in `description`.
 */
export function configJsonSchema(): Schema {
  const properties: Record<string, unknown> = { $schema: { type: 'string' } };
  for (const [section, members] of Object.entries(sections)) {
    const described = describeMembers(members as Record<string, Setting>, true);
    if (section === '') Object.assign(properties, described);
    else properties[section] = strictObject(described);
  }
  const host = Object.entries(hostSections).map(([section, members]) => [
    section,
    strictObject(describeMembers(members as Record<string, Setting>, false)),
  ]);
  properties['hosts'] = {
    type: 'object',
    description: 'further hosts: each overrides what windows, aloha and playwright say',
    propertyNames: { pattern: '^(?!default$)[A-Za-z0-9][A-Za-z0-9._-]{0,62}$' },
    additionalProperties: strictObject(Object.fromEntries(host)),
  };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'win-automation configuration',
    ...strictObject(properties),
  };
}

const strictObject = (properties: Schema): Schema => ({ type: 'object', properties, additionalProperties: false });

function describeMembers(members: Readonly<Record<string, Setting>>, withDefaults: boolean): Schema {
  const described = Object.entries(members).map(([name, member]) => {
    const { kind, fallback, description } = member;
    const env = settings.find(({ setting }) => setting === member)?.env;
    const text = `${description}; ${kind.accepts}${withDefaults && env !== undefined ? `; ${env}` : ''}`;
    const { $schema: _, ...shape } = toJsonSchema(kind.schema, {
      target: 'draft-2020-12',
      typeMode: 'input',
      // A transformation has no JSON Schema; what it accepts is said by the steps before it and by the description.
      errorMode: 'ignore',
    });
    const schema = { ...shape, description: text };
    return [name, withDefaults && fallback !== undefined ? { ...schema, default: fallback } : schema];
  });
  return Object.fromEntries(described);
}
