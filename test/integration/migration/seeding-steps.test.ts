import { expect, it } from 'vitest';
import { revisions } from '../../../migrations/graph.ts';
import type { Session } from '../../../src/database/session.ts';
import { openSchema } from '../../../src/migration/schema-builder/schema.ts';
import { describeEngines } from '../../support/database.ts';
import { dbInit, expectState, withSession } from '../upgrade/release-database.ts';
import { migrateToRows } from '../upgrade/migrate-to-rows.ts';
import { openStageAt } from './test-environment.ts';

/** A step that seeds tables, with one of its tables half filled, by an interrupted run or a person. */
interface Case {
  readonly revision: string;
  readonly title: string;
  /** The rows before the step. */
  readonly before?: string;
  /** Changes to the rows of the step, with foreign keys switched off. */
  readonly damage: string;
  /** A list of names, in which no number occurs. */
  readonly names: string;
  /** Rows in the list at the end that the step does not make. */
  readonly own: readonly string[];
  /** Rows that are missing at the end, because a row of the owner's replaces them. */
  readonly replaced?: readonly string[];
  /** A query for one row at the end: whether existing values are unchanged. */
  readonly kept: string;
}

const users = `INSERT INTO users (id, username, role)
  VALUES (1, 'ada', 'admin'), (2, 'bob', 'user'), (3, 'eve', 'user'), (4, 'joe', 'manager');`;

const rights = `
  SELECT 'role ' || name AS name FROM roles UNION ALL SELECT 'permission ' || name FROM permissions
  UNION ALL SELECT roles.name || ' may ' || permissions.name FROM role_permissions
    JOIN roles ON roles.id = role_id JOIN permissions ON permissions.id = permission_id
  UNION ALL SELECT username || ' is ' || roles.name FROM user_roles
    JOIN roles ON roles.id = role_id JOIN users ON users.id = user_id`;

const renumberedRoles = `UPDATE roles SET id = 70 - id; UPDATE role_permissions SET role_id = 70 - role_id;
  UPDATE user_roles SET role_id = 70 - role_id;`;
const renumberedPermissions = `UPDATE permissions SET id = 200 - id;
  UPDATE role_permissions SET permission_id = 200 - permission_id;`;

const cases: readonly Case[] = [
  {
    revision: '019',
    title: 'kanban_columns',
    damage: `UPDATE kanban_columns SET label = 'Doing' WHERE key = 'in_progress';
      INSERT INTO kanban_columns (id, key, label) VALUES (5, 'blocked', 'Blocked');
      DELETE FROM kanban_columns WHERE key IN ('todo', 'review');`,
    names: 'SELECT key AS name FROM kanban_columns',
    own: ['blocked'],
    kept: "SELECT 1 FROM kanban_columns WHERE label = 'Doing'",
  },
  {
    revision: '030',
    title: 'permissions',
    before: users,
    damage: `${renumberedPermissions} DELETE FROM permissions WHERE id % 3 = 0;
      DELETE FROM role_permissions WHERE permission_id % 3 = 0;
      INSERT INTO permissions (id, name, category) VALUES (51, 'brew_coffee', 'kitchen');
      UPDATE permissions SET description = 'Mine' WHERE name = 'view_own_time_entries';`,
    names: rights,
    own: ['permission brew_coffee'],
    kept: "SELECT 1 FROM permissions WHERE id = 199 AND description = 'Mine'",
  },
  {
    revision: '030',
    title: 'roles',
    before: users,
    damage: `${renumberedRoles} DELETE FROM roles WHERE name IN ('manager', 'user', 'viewer');
      INSERT INTO roles (id, name, is_system_role) VALUES (4, 'auditor', FALSE), (6, 'guest', FALSE);
      DELETE FROM permissions; DELETE FROM role_permissions; DELETE FROM user_roles;`,
    names: rights,
    own: ['role auditor', 'role guest'],
    kept: "SELECT 1 FROM roles WHERE id = 4 AND name = 'auditor'",
  },
  {
    revision: '030',
    title: 'role_permissions',
    before: users,
    damage: `${renumberedRoles} ${renumberedPermissions} DELETE FROM role_permissions WHERE role_id % 2 = 0;
      INSERT INTO roles (id, name, is_system_role) VALUES (90, 'guest', FALSE);
      INSERT INTO role_permissions (role_id, permission_id) VALUES (90, 199);`,
    names: rights,
    own: ['guest may view_own_time_entries', 'role guest'],
    kept: 'SELECT 1 FROM role_permissions WHERE role_id = 90',
  },
  {
    revision: '030',
    title: 'user_roles',
    before: users,
    damage: `${renumberedRoles} DELETE FROM user_roles WHERE user_id <> 3;
      INSERT INTO roles (id, name, is_system_role) VALUES (90, 'guest', FALSE);
      UPDATE user_roles SET role_id = 90;`,
    names: rights,
    own: ['eve is guest', 'role guest'],
    replaced: ['eve is user'],
    kept: 'SELECT 1 FROM user_roles WHERE user_id = 3',
  },
  {
    revision: '037_advanced_expenses',
    title: 'expense_categories',
    damage: `DELETE FROM expense_categories WHERE code IN ('TRAVEL', 'MEALS', 'EQUIP');
      INSERT INTO expense_categories (id, name, code) VALUES (8, 'Food', 'MEALS'), (9, 'Rent', NULL);`,
    names: "SELECT name || ' ' || coalesce(code, '') AS name FROM expense_categories",
    own: ['Food MEALS', 'Rent '],
    replaced: ['Meals MEALS'],
    kept: "SELECT 1 FROM expense_categories WHERE id = 8 AND name = 'Food'",
  },
  {
    revision: '037_advanced_expenses',
    title: 'per_diem_rates',
    damage: `DELETE FROM per_diem_rates WHERE country_code IN ('DE', 'GB'); UPDATE per_diem_rates SET rate_per_day = 77;
      INSERT INTO per_diem_rates (id, country_code, location, rate_per_day, valid_from, currency_code)
      VALUES (5, 'DE', 'Berlin', 30, '2025-01-01', 'EUR');`,
    names: "SELECT country_code || ' ' || location AS name FROM per_diem_rates",
    own: ['DE Berlin'],
    kept: "SELECT 1 FROM per_diem_rates WHERE country_code = 'US' AND rate_per_day = 77",
  },
  {
    revision: '041_add_invoice_pdf_templates',
    title: 'invoice_pdf_templates',
    before: "INSERT INTO settings (id, mail_enabled, invoice_pdf_template_html) VALUES (1, FALSE, '<p>');",
    damage: `DELETE FROM invoice_pdf_templates WHERE page_size IN ('A4', 'A3');
      UPDATE invoice_pdf_templates SET template_html = 'mine' WHERE page_size = 'A5';
      INSERT INTO invoice_pdf_templates (id, page_size, template_html) VALUES (6, 'A6', '');`,
    names: "SELECT page_size || ' ' || template_html AS name FROM invoice_pdf_templates",
    own: ['A5 mine', 'A6 '],
    replaced: ['A5 '],
    kept: "SELECT 1 FROM invoice_pdf_templates WHERE page_size = 'A5' AND template_html = 'mine'",
  },
  {
    revision: '136_seed_overtime_leave_type',
    title: 'leave_types',
    damage: `DELETE FROM leave_types; INSERT INTO leave_types (id, name, code) VALUES (2, 'Holiday', 'holiday');`,
    names: 'SELECT name FROM leave_types',
    own: ['Holiday'],
    kept: 'SELECT 1 FROM leave_types WHERE id = 2',
  },
  {
    revision: '157_add_project_client_created_by',
    title: 'permissions and role_permissions',
    damage: `DELETE FROM permissions WHERE name LIKE '%_own_projects';
      DELETE FROM role_permissions WHERE permission_id NOT IN (SELECT id FROM permissions) OR role_id = 3;
      INSERT INTO role_permissions (role_id, permission_id) SELECT 3, id FROM permissions WHERE name = 'delete_clients';
      INSERT INTO permissions (id, name, category) VALUES (63, 'brew_coffee', 'kitchen');`,
    names: `SELECT * FROM (${rights}) AS rights 
      WHERE name LIKE '%_own_projects' OR name LIKE '%_own_clients' OR name LIKE '%_all_clients' OR name LIKE '%coffee'`,
    own: ['permission brew_coffee'],
    kept: "SELECT 1 FROM role_permissions JOIN permissions ON id = permission_id WHERE role_id = 3 AND name = 'delete_clients'",
  },
  {
    revision: '161_add_workflow_templates',
    title: 'workflow_templates',
    before:
      "INSERT INTO users (id, username, role, password_change_required, two_factor_enabled, auth_provider, smart_notify_break_reminder, smart_notify_break_interval_minutes, smart_notify_end_of_day) VALUES (7, 'ada', 'admin', FALSE, FALSE, 'local', FALSE, 60, FALSE);",
    damage: `DELETE FROM workflow_templates WHERE category = 'Tasks'; UPDATE workflow_templates SET usage_count = 3;
      INSERT INTO workflow_templates (id, name, trigger_type, actions, created_by) VALUES (6, 'Mine', 'manual', '[]', 7);`,
    names:
      "SELECT workflow_templates.name || ' of ' || username AS name FROM workflow_templates JOIN users ON users.id = created_by",
    own: ['Mine of ada'],
    kept: "SELECT 1 FROM workflow_templates WHERE name = 'Email on new invoice' AND usage_count = 3",
  },
];

const parentOf = (revision: string): string => {
  const [parent] = revisions.find(({ id }) => id === revision)?.parents ?? [];
  if (parent === undefined) throw new Error(`${revision} has no parent`);
  return parent;
};

/** Switches foreign keys off while rows get other ids. */
const unwatched = (session: Session, sql: string): Promise<void> =>
  session.run(
    session.engine === 'sqlite'
      ? sql
      : `SET LOCAL session_replication_role = replica; ${sql}; SET LOCAL session_replication_role = DEFAULT`,
  );

async function runAgain(session: Session, revision: string): Promise<void> {
  const schema = await openSchema(session);
  const module = await revisions.find(({ id }) => id === revision)?.load();
  await module?.up({ context: schema });
  await schema.flush();
}

describeEngines('a step that seeds rows', ({ create }) => {
  it.for([...cases])('$revision completes $title that is half filled, with other numbers', async (given) => {
    const { revision, before = '', damage, names, own, replaced = [], kept } = given;
    const stage = await openStageAt(await create(), parentOf(revision), before);
    const { session } = stage;
    const listed = async (): Promise<string[]> =>
      (await session.query(names)).map((row) => String(row['name'])).toSorted();
    await stage.migrateTo(revision);
    const made = await listed();
    await unwatched(session, damage);
    expect(await listed()).not.toEqual(made);

    await runAgain(session, revision);
    expect(await listed()).toEqual([...made.filter((name) => !replaced.includes(name)), ...own].toSorted());
    expect(await session.query(kept)).toHaveLength(1);
  });
});

/** The state after release 4.5.1: the tables of 030 by its models, and roles that the owner added. */
const diedIn030 = `
  INSERT INTO users (id, username, role) VALUES (1, 'ada', 'admin'), (2, 'bob', 'user');
  CREATE TABLE permissions (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(100) NOT NULL, description VARCHAR(255),
    category VARCHAR(50) NOT NULL, created_at TIMESTAMP NOT NULL);
  CREATE UNIQUE INDEX idx_permissions_name ON permissions (name);
  CREATE TABLE roles (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(50) NOT NULL, description VARCHAR(255),
    is_system_role BOOLEAN NOT NULL, created_at TIMESTAMP NOT NULL, updated_at TIMESTAMP NOT NULL);
  CREATE UNIQUE INDEX idx_roles_name ON roles (name);
  INSERT INTO roles VALUES (3, 'auditor', 'Mine', FALSE, '2025-11-01', '2025-11-01'),
    (8, 'admin', 'Mine', TRUE, '2025-11-01', '2025-11-01');
  CREATE TABLE role_permissions (role_id INTEGER NOT NULL REFERENCES roles(id) ON DELETE CASCADE,
    permission_id INTEGER NOT NULL REFERENCES permissions(id) ON DELETE CASCADE, created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (role_id, permission_id));`;

describeEngines('a database that was left in the middle of the step that makes roles', ({ name, create }) => {
  it('is migrated to the head, with every grant under the right names', async () => {
    const [database, fresh] = [await create(), await create()];
    await migrateToRows(database, ['029'], (session) => session.run(diedIn030));
    const { exitCode, all } = await dbInit([], database.url);
    expect(exitCode, all).toBe(0);
    await expectState(database.url, 'current', { status: 0, verify: 0, gate: 0 });
    await dbInit([], fresh.url);

    const listed = (url: string): Promise<string[]> =>
      withSession(url, async (session) => (await session.query(rights)).map((row) => String(row['name'])).toSorted());
    const own = ['ada is admin', 'bob is user', 'role auditor'];
    expect(await listed(database.url)).toEqual([...(await listed(fresh.url)), ...own].toSorted());
    await withSession(database.url, async (session) => {
      const roles = await session.query("SELECT id, name FROM roles WHERE description = 'Mine' ORDER BY id");
      expect(roles).toEqual([
        { id: 3, name: 'auditor' },
        { id: 8, name: 'admin' },
      ]);
      if (name === 'postgresql')
        await session.run(
          "INSERT INTO roles (name, is_system_role, created_at, updated_at) VALUES ('guest', FALSE, now(), now())",
        );
    });
  });
});
