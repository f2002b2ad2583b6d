// Folders for what servers and databases write. Where the system offers it they are in memory: a message waits
// for the disk, and the disk of a shared machine may stand still for seconds, which is nothing a test wants to
// tell of. What a killed process had written is there afterwards, as on a disk.
import { mkdtempSync, readFileSync, statfsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const MEMORY = '/dev/shm';
/** Room for a whole run and the folders of failed tests. */
const ROOM = 4 * 2 ** 30;

/** A new, empty folder, with its purpose in its name. */
export const scratchFolder = (purpose) => mkdtempSync(path.join(ROOT, `throng-${purpose}-`));

const ROOT = process.env.THRONG_TEST_FOLDER ?? (isRoomy(MEMORY) && runsPrograms(MEMORY) ? MEMORY : os.tmpdir());

function isRoomy(folder) {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize >= ROOM;
  } catch {
    return false;
  }
}

/** The database unpacks libraries of its own. */
function runsPrograms(folder) {
  try {
    const mounts = readFileSync('/proc/mounts', 'utf8').split('\n').map((line) => line.split(' '));
    return mounts.filter(([, at]) => at === folder).every(([, , , options]) => !options.split(',').includes('noexec'));
  } catch {
    return false;
  }
}
