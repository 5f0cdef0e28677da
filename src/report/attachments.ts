import type { Attachment, AttachmentDetail } from '../model/database-facts.ts';
import { type Describers, describerOf } from './by-kind.ts';

/** Describes an object on a table, or a setting of the database. */
export function describeAttachment(attachment: Attachment): { object: string; message: string } {
  const { table, what, name } = attachment;
  const object = table === null || table === name ? name : `${table}.${name}`;
  const place = table === null || table === name ? '' : ` on ${table}`;
  return { object, message: `${what} ${name}${place}: ${detailOf(attachment).replaceAll(/\s+/g, ' ')}` };
}

/** The definition of an attachment, or its effect, without a full stop. */
export function detailOf({ detail }: Pick<Attachment, 'detail'>): string {
  return typeof detail === 'string' ? detail : describeDetail(detail.kind, detail, null);
}

const details = {
  'other-default': ({ found, expected }) => `it is ${found}, and the revision makes it ${expected}`,
  'wider-type': ({ type, expected, larger }) =>
    `it is ${type}, and holds all that ${expected} does` +
    (larger === '0' ? '' : `; ${larger} of its values would not fit into that`),
  'unchecked-reference': ({ rule, target, columns }) =>
    `${rule}: ${columns === null ? `there is no table ${target}` : `${target} (${columns}) is not unique`}, so that SQLite cannot check it`,
  'required-column': ({ type }) => `${type} NOT NULL without a default, which the application does not fill`,
  'generated-column': () => 'it is generated, so every row that the application writes is refused',
  'breaks-defaults': ({ definition }) => `${definition}, which the value of a new row does not pass`,
  'single-row': ({ definition }) => `${definition}, which a second row cannot pass`,
  'does-not-compile': ({ definition, message }) => `it does not compile (${message}): ${definition}`,
  'refused-trial': ({ definition, message }) =>
    `${definition}: it refused every row that was tried on an empty copy of the table (` +
    `${message === null ? 'the row was not there afterwards' : shortened(message)})`,
} satisfies Describers<AttachmentDetail, null, string>;

const describeDetail = describerOf<AttachmentDetail, null, string>(details);

/** A message of the owner's code, which may be of any length. */
const shortened = (text: string): string => (text.length > 300 ? `${text.slice(0, 300)}…` : text);
