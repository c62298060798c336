import { open, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { ArtifactEntry, Manifest } from './manifest.ts';
import type { Verified } from './verify.ts';

/** What is shown of a text, and the largest picture that goes into the page. */
const maxTextBytes = 256 * 1024;
const maxImageBytes = 16 * 1024 * 1024;

const imageTypes: Readonly<Record<string, string>> = { '.png': 'image/png', '.jpg': 'image/jpeg' };
const textTypes: readonly string[] = ['.txt', '.json', '.log', '.md', '.csv'];

/**
 * One page that tells all of a job: no script, nothing loaded from anywhere. Everything that a job wrote is escaped: it may
 * come from a stranger's web page.
 *
 * @param verified each artifact with what is wrong with it
 */
export async function renderReport(dir: string, manifest: Manifest, verified: readonly Verified[]): Promise<string> {
  const { job_id, type, state, host, trace_id, attempt, created_at, started_at, ended_at, error } = manifest;
  const durationMs = ended_at === null ? undefined : Date.parse(ended_at) - Date.parse(started_at);
  const facts: [string, string][] = [
    ['job', job_id],
    ['type', type],
    ['state', state],
    ['host', host],
    ['attempt', `${attempt}`],
    ['trace', trace_id],
    ['enqueued', created_at],
    ['started', started_at],
    ['ended', ended_at ?? 'not yet'],
    ['took', durationMs === undefined ? '' : `${durationMs} ms`],
    ...(error === null ? [] : [['error', `${error.code}: ${error.message}`] as [string, string]]),
  ];
  const shown = await Promise.all(verified.map((one) => renderArtifact(dir, one)));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(type)} ${escapeHtml(state)}: ${escapeHtml(job_id)}</title>
<style>${style}</style>
</head>
<body>
<h1>${escapeHtml(type)} <span class="state ${escapeHtml(state)}">${escapeHtml(state)}</span></h1>
<table>${facts.map(([name, value]) => `<tr><th>${name}</th><td>${escapeHtml(value)}</td></tr>`).join('\n')}</table>
<h2>Input</h2>
<pre>${escapeHtml(JSON.stringify(manifest.input, undefined, 2) ?? '')}</pre>
<h2>Result</h2>
<pre>${escapeHtml(JSON.stringify(manifest.result, undefined, 2) ?? '')}</pre>
<h2>Artifacts</h2>
<table><tr><th>path</th><th>bytes</th><th>SHA-256</th><th></th></tr>
${verified.map(renderRow).join('\n')}
</table>
${shown.join('\n')}
</body>
</html>
`;
}

function renderRow({ entry, fault }: Verified): string {
  const mark = fault === undefined ? 'verified' : `<b class="failed">${escapeHtml(fault)}</b>`;
  return `<tr><td>${escapeHtml(entry.path)}</td><td>${entry.size_bytes}</td><td><code>${entry.sha256}</code></td><td>${mark}</td></tr>`;
}

async function renderArtifact(dir: string, { entry, fault }: Verified): Promise<string> {
  // What is not what the manifest says is named above, and not shown.
  if (fault !== undefined) return '';
  const heading = `<h3>${escapeHtml(entry.path)}</h3>`;
  const extension = extname(entry.path).toLowerCase();
  const imageType = imageTypes[extension];
  if (imageType !== undefined && entry.size_bytes <= maxImageBytes) {
    const data = (await readFile(join(dir, entry.path))).toString('base64');
    return `${heading}\n<img alt="${escapeHtml(entry.path)}" src="data:${imageType};base64,${data}">`;
  }
  return textTypes.includes(extension) ? `${heading}\n${await renderText(dir, entry)}` : '';
}

async function renderText(dir: string, { path, size_bytes }: ArtifactEntry): Promise<string> {
  await using file = await open(join(dir, path));
  const memory = Buffer.alloc(Math.min(maxTextBytes, size_bytes));
  const { bytesRead } = await file.read(memory, 0, memory.length, 0);
  const text = memory.subarray(0, bytesRead).toString('utf8');
  const cut = size_bytes > maxTextBytes ? `<p>the first ${maxTextBytes} of ${size_bytes} bytes</p>` : '';
  return `<pre>${escapeHtml(text)}</pre>${cut}`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as HTML, in content and in quoted attributes. */
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (found) => entities[found] ?? found);

const style = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; } h3 { font-size: 1rem; font-family: ui-monospace, monospace; }
table { border-collapse: collapse; } th, td { text-align: left; padding: .2rem 1rem .2rem 0; vertical-align: top; }
th { font-weight: 600; color: #57606a; } code, pre { font: 13px/1.45 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { background: #f6f8fa; border: 1px solid #d0d7de; border-radius: 6px; padding: .75rem; white-space: pre-wrap; }
img { max-width: 100%; border: 1px solid #d0d7de; border-radius: 6px; }
.state { font-size: .9rem; padding: .15rem .6rem; border-radius: 1rem; background: #eaeef2; }
.completed { background: #dafbe1; color: #116329; } .failed, .cancelled { background: #ffebe9; color: #a40e26; }
`;
