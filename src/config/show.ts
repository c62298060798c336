import type { Scalar } from '../core/errors.ts';
import type { LoadedConfig } from './load.ts';
import { type HostConfig, type NamedSetting, type Secret, type SecretName, secrets, settings } from './sections.ts';

export interface ShownSetting {
  readonly key: string;
  /** As a user would write it; `[redacted]` for a secret that is set, null for what is not set. */
  readonly value: Exclude<Scalar, undefined>;
  /** `default`, `file` or the name of an environment variable. */
  readonly origin: string;
}

/** Lists the effective configuration with the origin of each value, in the order of the documentation. */
export function listSettings(loaded: LoadedConfig): ShownSetting[] {
  const { config, origins } = loaded;
  const shown = settings.map((named) => {
    const holder: object = named.section === '' ? config : config[named.section as keyof HostConfig];
    return show(named, named.key, holder, origins);
  });
  for (const [name, { key }] of Object.entries<Secret>(secrets)) {
    const isSet = loaded.secrets[name as SecretName] !== undefined;
    shown.push({ key, value: isSet ? '[redacted]' : null, origin: origins[key] ?? 'default' });
  }
  for (const [host, own] of Object.entries(config.hosts)) {
    for (const named of settings) {
      const key = `hosts.${host}.${named.key}`;
      if (origins[key] !== undefined) shown.push(show(named, key, own[named.section as keyof HostConfig], origins));
    }
  }
  return shown;
}

function show(named: NamedSetting, key: string, holder: object, origins: LoadedConfig['origins']): ShownSetting {
  const value = (holder as Record<string, unknown>)[named.name];
  const { toText } = named.setting.kind;
  const isText = typeof value !== 'number' || toText(value) !== String(value);
  const written = value === undefined ? null : isText && typeof value !== 'boolean' ? toText(value) : value;
  return { key, value: written as ShownSetting['value'], origin: origins[key] ?? 'default' };
}
