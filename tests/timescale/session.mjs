// One connection of a client, as PostgreSQL's protocol has it, over the one backend.

import { DATABASE, OWNER, Refused } from './backend.mjs';
import {
  Inbox, cString, int32, makeMessage, readCString, refusal, splitMessages, sqlOf, typeOf, withSql, withStatementName,
} from './wire.mjs';

const SSL_REQUEST = 80877103, GSS_REQUEST = 80877104, CANCEL_REQUEST = 80877102;
const COPY_IN = /^(?:\s|--.*\n)*copy\s+(?!\()[^]*?\bfrom\s+stdin\b(?<options>[^]*)/i;
const DEALLOCATE = /^\s*deallocate\s+(?:prepare\s+)?(?:(?<all>all)|"?(?<name>\w+)"?)\s*;?\s*$/i;
const NOTHING = "DO 'BEGIN END'";
const IDLE = makeMessage('Z', 'I');

export class Session {
  #socket;
  #backend;
  #turns;
  #prefix;
  #tenant; // what the backend needs to know of us: see Backend.admit
  #statements = new Set(); // names of what we have prepared, as the backend knows them
  #copy = null; // a COPY FROM STDIN in progress: its messages
  #refused = false; // a pipeline was refused: skipped until its Sync
  #name = 'a connection';
  #lastSql = '';
  #open = true;

  constructor(number, socket, backend, turns) {
    this.#socket = socket;
    this.#backend = backend;
    this.#turns = turns;
    this.#prefix = `${number}/`;
  }

  /** Answers the client until it is gone, or `close` was called. */
  async serve() {
    const inbox = new Inbox();
    try {
      for await (const chunk of this.#socket) {
        for (const message of inbox.push(chunk)) {
          if (!this.#open) return;
          if (this.#tenant) await this.#answer(message);
          else if (this.#greet(message)) inbox.started();
        }
      }
      this.#end();
    } catch (error) {
      if (!isLostConnection(error)) throw error;
      this.#end();
    }
  }

  /** Ends the connection, whatever it is doing. */
  close() {
    this.#hangUp(refusal('FATAL', '57P01', 'terminating connection due to administrator command'));
  }

  // -- login --------------------------------------------------------------------------------------------------------

  /** Whether the client is logged in now. What it asks for is the backend's to refuse, at the first statement. */
  #greet(message) {
    const code = message.readInt32BE(5);
    if (code === CANCEL_REQUEST) return void this.#hangUp(); // nothing can be cancelled in a single thread
    if (code === SSL_REQUEST || code === GSS_REQUEST) return void this.#socket.write('N');
    const { user = OWNER, database = user, options = '', ...settings } = readParameters(message);
    if (database !== DATABASE) {
      const text = `database "${database}" does not exist: there is only "${DATABASE}"`;
      return void this.#hangUp(refusal('FATAL', '3D000', text));
    }
    this.#name = settings.application_name || this.#name;
    this.#tenant = { user, role: 'none', settings: { ...settings, ...readOptions(options) } };
    const told = this.#backend.parameters.map(([name, value]) => [name, settingOf(this.#tenant.settings, name) ?? value]);
    this.#socket.write(Buffer.concat([
      makeMessage('R', int32(0)), // no password
      ...told.map(([name, value]) => makeMessage('S', cString(name), cString(value))),
      makeMessage('K', int32(0), int32(0)),
      IDLE,
    ]));
    return true;
  }

  // -- statements ---------------------------------------------------------------------------------------------------

  async #answer(message) {
    try {
      await this.#perform(message);
    } catch (error) { // a trap in the backend, or a bug of ours: the end of this server
      this.#open = false;
      this.#socket.end(refusal('FATAL', 'XX000', `the server of TimescaleDB broke: ${error}`));
      throw error;
    }
  }

  async #perform(message) {
    const type = typeOf(message);
    if (type === 'X') return this.#hangUp();
    if (this.#refused) return this.#skip(type);
    const ours = await this.#turns.take(this);
    if (!this.#open) return undefined; // closed meanwhile
    if (!ours) return this.#refuse(type);
    if (!this.#admitted()) return undefined;
    if (this.#copy) return this.#collect(type, message);
    this.#lastSql = sqlOf(message) || this.#lastSql;
    if (type === 'Q' && this.#beginCopy(message)) return undefined;
    return this.#tell(this.#backend.run(this.#own(message)));
  }

  #admitted() {
    try {
      this.#backend.admit(this.#tenant);
      return true;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.#hangUp(error.answer);
      return false;
    }
  }

  /** Our client hears the answers; when they leave no transaction open, it is the next connection's turn. */
  #tell(answers) {
    this.#socket.write(answers);
    this.#turns.touch();
    if (splitMessages(answers).some((answer) => answer.equals(IDLE))) this.#turns.end(this);
  }

  #refuse(type) {
    const holder = this.#turns.holder;
    this.#socket.write(refusal(
      'ERROR', '55P03',
      `this TimescaleDB has one backend for all connections, and ${holder} keeps it in an open transaction`,
      'End that transaction first. What needs two transactions at once can be tested over PostgreSQL only.',
    ));
    this.#refused = true;
    this.#skip(type);
  }

  #skip(type) {
    if (type !== 'Q' && type !== 'S') return; // the end of what was refused
    this.#refused = false;
    this.#socket.write(IDLE);
  }

  // -- COPY FROM STDIN, a statement of its own: the backend cannot wait for data, so it gets both at once -------------

  #beginCopy(message) {
    const found = COPY_IN.exec(sqlOf(message));
    if (!found) return false;
    this.#copy = [message];
    const format = /\bbinary\b/i.test(found.groups.options) ? 1 : 0;
    this.#socket.write(makeMessage('G', [format, 0, 0]));
    return true;
  }

  #collect(type, message) {
    if (type === 'd' || type === 'c' || type === 'f') this.#copy.push(message);
    if (type === 'c' || type === 'f') this.#endCopy();
  }

  #endCopy() {
    const messages = this.#copy;
    this.#copy = null;
    const answers = splitMessages(this.#backend.run(Buffer.concat(messages)));
    this.#tell(Buffer.concat(answers.filter((answer) => typeOf(answer) !== 'G'))); // our client has had that
  }

  // -- prepared statements: all connections' are in one backend, so each has names of its own ------------------------

  #own(message) {
    const deallocate = DEALLOCATE.exec(sqlOf(message));
    if (deallocate) {
      const { all, name } = deallocate.groups;
      this.#forget(all ? [...this.#statements] : [this.#prefix + name]);
      return this.#own(withSql(message, NOTHING));
    }
    return withStatementName(message, (name) => {
      if (name === '') return name;
      if (typeOf(message) === 'P') this.#statements.add(this.#prefix + name);
      return this.#prefix + name;
    });
  }

  #forget(statements) {
    for (const statement of statements) {
      this.#statements.delete(statement);
      this.#backend.run(makeMessage('C', 'S', cString(statement)));
    }
  }

  // -- the end ------------------------------------------------------------------------------------------------------

  #hangUp(lastWords) {
    if (!this.#open) return;
    this.#socket.end(lastWords);
    this.#end();
  }

  #end() {
    if (!this.#open) return;
    this.#open = false;
    this.#backend.evict(this.#tenant);
    this.#forget(this.#statements);
    this.#turns.end(this);
  }

  toString() {
    return `${this.#name}, whose last statement is "${this.#lastSql.trim().slice(0, 200)}",`;
  }
}

/** Names and values of a StartupMessage. */
function readParameters(message) {
  const parameters = {};
  for (let start = 9; message[start];) {
    let name, value;
    [name, start] = readCString(message, start);
    [value, start] = readCString(message, start);
    parameters[name] = value;
  }
  return parameters;
}

/** The settings in a text such as `-c timezone=UTC --search_path=hub,public`; a backslash keeps what follows it. */
function readOptions(text) {
  const words = text.match(/(?:\\[^]|\S)+/g) ?? [];
  const pairs = words.map((word) => word.replace(/\\([^])/g, '$1').replace(/^(-c|--)/, '')).filter(Boolean);
  return Object.fromEntries(pairs.map((pair) => /^([^=]*)=?([^]*)$/.exec(pair).slice(1)));
}

/** PostgreSQL's names of settings know no upper and lower case. */
function settingOf(settings, name) {
  return Object.entries(settings).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
}

const isLostConnection = (error) => error.syscall !== undefined || error.code === 'ERR_STREAM_PREMATURE_CLOSE';
