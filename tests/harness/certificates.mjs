// The certificate of servers under test that speak TLS; `run.mjs` makes Node trust it.
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../services/gateway/tests/gateway/certificates', import.meta.url));

/** Paths, as the section `[gateway.tls]` has them. */
export const CERTIFICATES = { cert: path.join(FOLDER, 'first.pem'), key: path.join(FOLDER, 'first.key') };
