// PostgreSQL's wire protocol, version 3, as bytes: a message is its type (one letter), its length and its parts.

const HEADER = 5; // the letter, and the length, which counts itself but not the letter

export const typeOf = (message) => String.fromCharCode(message[0]);
export const cString = (text) => Buffer.from(`${text}\0`);

export function int32(number) {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(number);
  return bytes;
}

/** A message of `type`; its parts are bytes, or text, which goes in without an end. */
export function makeMessage(type, ...parts) {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}

/** The C string that begins at `start`, and where the next field begins. */
export function readCString(bytes, start) {
  const end = bytes.indexOf(0, start);
  return [bytes.toString('utf8', start, end), end + 1];
}

/** What PostgreSQL says when it refuses: `severity` ERROR, or FATAL, after which the connection ends. */
export function refusal(severity, code, text, hint = '') {
  const fields = [`S${severity}`, `V${severity}`, `C${code}`, `M${text}`, ...(hint && [`H${hint}`])];
  return makeMessage('E', ...fields.map(cString), '\0');
}

/** Whole messages in the order of the bytes that hold nothing else. */
export function splitMessages(bytes) {
  const messages = [];
  for (let start = 0; start < bytes.length;) {
    const end = start + 1 + bytes.readInt32BE(start + 1);
    messages.push(bytes.subarray(start, end));
    start = end;
  }
  return messages;
}

/** The columns of a DataRow as text; null for NULL. */
export function readRow(message) {
  const columns = [];
  for (let start = HEADER + 2; start < message.length;) {
    const length = message.readInt32BE(start);
    start += 4;
    columns.push(length < 0 ? null : message.toString('utf8', start, start + length));
    start += Math.max(length, 0);
  }
  return columns;
}

/** The SQL of a Query or a Parse; '' for any other message. */
export function sqlOf(message) {
  const type = typeOf(message);
  if (type === 'Q') return readCString(message, HEADER)[0];
  return type === 'P' ? readCString(message, readCString(message, HEADER)[1])[0] : '';
}

/** The same Query or Parse with other SQL. */
export function withSql(message, sql) {
  if (typeOf(message) === 'Q') return makeMessage('Q', cString(sql));
  const [name, start] = readCString(message, HEADER);
  return makeMessage('P', cString(name), cString(sql), message.subarray(readCString(message, start)[1]));
}

/** Parse, Bind, Describe or Close with the name of its prepared statement changed; others as they are. */
export function withStatementName(message, change) {
  switch (typeOf(message)) {
    case 'P': {
      const [name, rest] = readCString(message, HEADER);
      return makeMessage('P', cString(change(name)), message.subarray(rest));
    }
    case 'B': {
      const [portal, start] = readCString(message, HEADER);
      const [name, rest] = readCString(message, start);
      return makeMessage('B', cString(portal), cString(change(name)), message.subarray(rest));
    }
    case 'C':
    case 'D':
      if (message[HEADER] !== 'S'.charCodeAt()) return message; // of a portal
      return makeMessage(typeOf(message), 'S', cString(change(readCString(message, HEADER + 1)[0])));
    default:
      return message;
  }
}

/** Cuts what arrives on a connection into messages. Those before login have no letter, and get ' ' for one. */
export class Inbox {
  #rest = Buffer.alloc(0);
  #letter = false;

  /** What is complete now; to be taken one by one, since `started` changes how the next is read. */
  * push(chunk) {
    this.#rest = this.#rest.length ? Buffer.concat([this.#rest, chunk]) : chunk;
    for (;;) {
      const lead = this.#letter ? 1 : 0;
      if (this.#rest.length < lead + 4) return;
      const length = lead + this.#rest.readInt32BE(lead);
      if (this.#rest.length < length) return;
      const message = this.#rest.subarray(0, length);
      this.#rest = this.#rest.subarray(length);
      yield this.#letter ? message : Buffer.concat([Buffer.from(' '), message]);
    }
  }

  /** The client is logged in: messages have letters from now on. */
  started() {
    this.#letter = true;
  }
}
