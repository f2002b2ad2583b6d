// Which methods of the official SDK a run of the tests has called with success, held against what
// docs/sdk-methods.md says of each.
import { appendFileSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PAGE = new URL('../../docs/sdk-methods.md', import.meta.url);
const DECLARATIONS = new URL('../node_modules/@tencentcloud/chat/index.d.ts', import.meta.url);
/** States of a method on the page; of the first two a test has to show it. */
const STATES = ['works', 'groups', 'local', 'empty', 'not yet'];
const SHOWN = new Set(['works', 'groups']);

const noted = new Set();

/** Notes for the end of the run, once a process of the tests. */
export function noteMethod(method) {
  if (noted.has(method) || !process.env.THRONG_TEST_METHODS) return;
  noted.add(method);
  appendFileSync(process.env.THRONG_TEST_METHODS, `${method}\n`);
}

/** The methods that the SDK declares. */
function declared() {
  const text = readFileSync(fileURLToPath(DECLARATIONS), 'utf8');
  const body = text.slice(text.indexOf('export declare class ChatSDK'));
  return [...body.matchAll(/^ {2}(\w+)\(.*\)\s*:/gm)].map((match) => match[1]);
}

/** The page's tables: sections with their methods and states, and the totals in the first table. */
export function readPage(text = readFileSync(fileURLToPath(PAGE), 'utf8')) {
  const page = { totals: new Map(), methods: new Map(), sections: new Map() };
  let section = null;
  for (const line of text.split('\n')) {
    const heading = /^## (.+)$/.exec(line);
    if (heading) {
      section = heading[1];
      page.sections.set(section, []);
    }
    const method = /^\| `(\w+)` \| ([a-z ]+) \|/.exec(line);
    if (method) {
      page.methods.set(method[1], method[2]);
      page.sections.get(section).push(method[2]);
    }
    const total = /^\| ([A-Z][^|]*) \| (\d+) of (\d+) \|/.exec(line);
    if (total) page.totals.set(total[1], [Number(total[2]), Number(total[3])]);
  }
  return page;
}

/** What is wrong with the page after a run of all tests that noted `file`; none: nothing. */
export function mistakes(file, page = readPage()) {
  const found = [];
  let called = new Set();
  try {
    called = new Set(readFileSync(file, 'utf8').split('\n'));
  } catch {
    // No test called anything.
  }
  for (const method of declared()) {
    if (!page.methods.has(method)) found.push(`${method}: the SDK has it, the page does not`);
  }
  for (const [method, state] of page.methods) {
    if (!STATES.includes(state)) found.push(`${method}: no state ${state}`);
    if (SHOWN.has(state) && !called.has(method)) found.push(`${method}: ${state}, says the page, and no test has shown it`);
  }
  for (const [section, states] of page.sections) {
    if (states.length === 0) continue;
    const served = states.filter((state) => state !== 'local');
    const counted = [served.filter((state) => SHOWN.has(state)).length, served.length];
    const said = page.totals.get(section);
    if (String(said) !== String(counted)) found.push(`${section}: ${counted.join(' of ')}, the page says ${said?.join(' of ')}`);
  }
  return found;
}
