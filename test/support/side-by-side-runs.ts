import { limited, type Outcome, type SideBySide, type SideBySideCase } from './side-by-side.ts';

/** What both printed, of one case. */
export interface Both {
  readonly users: Outcome;
  readonly ours: Outcome;
}

/** So many cases in one script. */
const joinedSize = 12;
/** So many starts of PowerShell at once. */
const atOnce = limited(2);
/** So many runs are started before somebody asks for them. */
const ahead = 3;

/** Runs cases by both, those that can be joined in few starts of PowerShell. */
export class SideBySideRuns {
  readonly #side: SideBySide;
  readonly #groups: readonly (readonly SideBySideCase[])[];
  readonly #started = new Map<number, Promise<Both>>();

  constructor(side: SideBySide, cases: readonly SideBySideCase[]) {
    this.#side = side;
    const groups: SideBySideCase[][] = [];
    let open: SideBySideCase[] = [];
    for (const one of cases) {
      if (one.isJoined && open.length > 0 && open.length < joinedSize) {
        open.push(one);
        continue;
      }
      const group = [one];
      groups.push(group);
      if (one.isJoined) open = group;
    }
    this.#groups = groups;
  }

  /** What both made of a case. The next ones are begun meanwhile. */
  async of(one: SideBySideCase): Promise<Both> {
    const index = this.#groups.findIndex((group) => group.includes(one));
    const group = this.#groups[index] ?? [];
    const outcome = this.#start(index);
    for (let next = index + 1; next <= index + ahead && next < this.#groups.length; next += 1) this.#start(next);
    const both = await outcome;
    if (group.length === 1) return both;
    const place = group.indexOf(one);
    return { users: partOf(both.users, place), ours: partOf(both.ours, place) };
  }

  #start(index: number): Promise<Both> {
    const known = this.#started.get(index);
    if (known !== undefined) return known;
    const started = this.#run(this.#groups[index] ?? []);
    // Whoever asks for it is told.
    started.catch(() => undefined);
    this.#started.set(index, started);
    return started;
  }

  async #run(group: readonly SideBySideCase[]): Promise<Both> {
    const [first] = group;
    if (first === undefined) throw new Error('no such case');
    const one = group.length === 1 ? first : { ...first, text: joined(group) };
    const file = this.#side.write(one);
    const [users, ours] = await Promise.all([
      atOnce(() => this.#side.byUser(one, file)),
      atOnce(() => this.#side.byUs(one, file)),
    ]);
    return { users, ours };
  }
}

const mark = '<<<next>>>';

/** Each case in a scope of its own, with a mark behind it on both streams. */
function joined(group: readonly SideBySideCase[]): string {
  return group.map(({ text }) => `& {\n${text}\n}\n'${mark}'\n[Console]::Error.WriteLine('${mark}')\n`).join('');
}

function partOf({ stdout, stderr, exitCode }: Outcome, place: number): Outcome {
  const part = (text: string) => text.split(`${mark}\n`)[place] ?? 'it never came so far';
  return { stdout: part(stdout), stderr: part(stderr), exitCode };
}
