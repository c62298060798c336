/** Where what we print or how we end is meant to be another than with `pwsh -File` or `pwsh -Command`. */
export const differences = {
  'program-exit': {
    what: 'A program that fails last gives its exit code; `-File` gives 0 and `-Command` gives 1.',
    why: 'a script that ends in a failing program has failed, and its code says how',
  },
} as const satisfies Record<string, { readonly what: string; readonly why: string }>;
