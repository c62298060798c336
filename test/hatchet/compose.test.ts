import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { composeFile, composeSecrets } from '../../src/hatchet/compose.ts';
import { writeCompose } from '../../src/hatchet/container.ts';

describe('the compose file', () => {
  const compose = parse(composeFile());

  it("has the reference's ports, on loopback only", () => {
    assert.deepEqual(compose.services.hatchet.ports, [
      '127.0.0.1:8888:8888',
      '127.0.0.1:7077:7077',
      '127.0.0.1:8733:8733',
    ]);
    assert.equal(compose.services.postgres.ports, undefined);
  });

  it('pins its images, checks both for health, and keeps database and keys in volumes', () => {
    for (const { image, healthcheck, volumes } of Object.values(compose.services) as Record<string, never>[]) {
      assert.match(image ?? '', /:v?\d+/);
      assert.ok(healthcheck);
      assert.equal((volumes as unknown as string[]).length, 1);
    }
    assert.deepEqual(Object.keys(compose.volumes), ['hatchet-db', 'hatchet-config']);
  });

  it('holds no password, and asks for one where there is none', () => {
    const { DATABASE_URL, ADMIN_PASSWORD } = compose.services.hatchet.environment;
    const asked = `\${HATCHET_POSTGRES_PASSWORD:?}`;
    assert.equal(DATABASE_URL, `postgresql://hatchet:${asked}@postgres:5432/hatchet?sslmode=disable`);
    assert.equal(compose.services.postgres.environment.POSTGRES_PASSWORD, asked);
    assert.equal(ADMIN_PASSWORD, `\${HATCHET_ADMIN_PASSWORD:?}`);
  });

  it('is written with passwords of its own, which a second time keeps', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'wa-compose-'));
    const { envPath } = await writeCompose(dir);
    const first = readFileSync(envPath, 'utf8');
    assert.equal(statSync(envPath).mode & 0o777, 0o600);
    await writeCompose(dir);
    assert.equal(readFileSync(envPath, 'utf8'), first);
    assert.match(first, /^HATCHET_POSTGRES_PASSWORD=\w{39}\nHATCHET_ADMIN_PASSWORD=\w{39}\n$/);
    assert.notEqual(composeSecrets(), first);
    rmSync(dir, { recursive: true });
  });
});
