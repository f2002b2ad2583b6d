// The command line of the binary.
import { BINARY, requireBinary } from './binary.mjs';
import { run } from './children.mjs';

/** Runs `throng ARGS…` to its end. */
export function throng(...args) {
  requireBinary();
  return run(BINARY, args);
}

/** `throng usersig sign`, which must succeed. */
export async function cliSign(app, user, expire) {
  const { code, stdout, stderr } = await throng('usersig', 'sign', '--app', `${app.id}:${app.key}`, '--user', user, ...(expire ? ['--expire', String(expire)] : []));
  if (code !== 0) throw new Error(`usersig sign: exit ${code}\n${stderr}`);
  return stdout.trim();
}

/** Whether `throng usersig verify` accepts. */
export async function cliVerifies(app, user, sig) {
  const { code } = await throng('usersig', 'verify', '--app', `${app.id}:${app.key}`, '--user', user, sig);
  if (code !== 0 && code !== 1) throw new Error(`usersig verify: exit ${code}`);
  return code === 0;
}
