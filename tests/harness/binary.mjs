// Where the server binary is.
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const REPOSITORY = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

const targetDir = process.env.CARGO_TARGET_DIR ?? path.join(REPOSITORY, 'target');

/** THRONG_BIN, else what `cargo build -p throng` made. */
export const BINARY = process.env.THRONG_BIN ?? path.join(targetDir, 'debug', 'throng');

/** Fails early, with the cure. */
export function requireBinary() {
  try {
    accessSync(BINARY, constants.X_OK);
  } catch {
    throw new Error(`no server binary at ${BINARY}: run "cargo build -p throng", or set THRONG_BIN`);
  }
}
