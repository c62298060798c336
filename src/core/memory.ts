const runtime = globalThis as { readonly gc?: () => void };
const collectEveryBytes = 16 * 1024 * 1024;

/**
 * Passes chunks on and asks for a garbage collection every 16 MiB, where the runtime offers one (`--expose-gc`, which
 * the executable is built with). JavaScriptCore doesn't see the memory behind decrypted buffers in time: without this a
 * gigabyte of output peaks at 190 MB, with it at about 110 MB, for a fifth more time.
 */
export async function* collectGarbage(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let sinceLast = 0;
  for await (const chunk of source) {
    yield chunk;
    sinceLast += chunk.length;
    if (sinceLast < collectEveryBytes) continue;
    sinceLast = 0;
    runtime.gc?.();
  }
}
