import { beforeAll, expect, it } from 'vitest';
import { describeEngines } from '../../support/database.ts';
import { asOnSqlite } from './observed.ts';
import { openStage, openStageAt, type Stage } from './test-environment.ts';

const client = "INSERT INTO clients (id, name) VALUES (1, 'Ada');";
const people = `${client} INSERT INTO users (id, username) VALUES (1, 'ada');
  INSERT INTO projects (id, name, client_id) VALUES (1, 'Engine', 1);`;
const invoice = `${people}
  INSERT INTO invoices (id, invoice_number, client_id, issue_date, due_date, payment_status, currency_code)
  VALUES (1, 'A-1', 1, '2024-01-01', '2024-02-01', 'unpaid', 'EUR');`;
const offer = `${invoice}
  INSERT INTO offers (id, offer_number, client_id, project_id, title, created_by)
  VALUES (7, 'Q-7', 1, 1, 'Engine', 1);
  UPDATE projects SET offer_id = 7; UPDATE invoices SET offer_id = 7;`;

/** The effect of a revision on existing rows; `after` in the form of PostgreSQL. */
interface Effect {
  readonly what: string;
  /** The revision before, and the revision to migrate to. */
  readonly from: string;
  readonly to: string;
  readonly rows: string;
  readonly query: string;
  readonly after: readonly Readonly<Record<string, unknown>>[];
}

const effects: readonly Effect[] = [
  {
    what: 'fills the mail settings',
    from: '032_add_api_tokens',
    to: '033_add_email_settings',
    rows: 'INSERT INTO settings (id) VALUES (1);',
    query: `SELECT mail_enabled, mail_server, mail_port, mail_use_tls, mail_use_ssl, mail_username, mail_password,
        mail_default_sender
      FROM settings`,
    after: [
      {
        mail_enabled: false,
        mail_server: '',
        mail_port: 587,
        mail_use_tls: true,
        mail_use_ssl: false,
        mail_username: '',
        mail_password: '',
        mail_default_sender: '',
      },
    ],
  },
  {
    what: 'keeps a mail setting that was there, and fills the others',
    from: '032_add_api_tokens',
    to: '033_add_email_settings',
    rows: `ALTER TABLE settings ADD COLUMN mail_server VARCHAR(255);
      INSERT INTO settings (id, mail_server) VALUES (1, 'mail.example');`,
    query: 'SELECT mail_enabled, mail_server, mail_port FROM settings',
    after: [{ mail_enabled: false, mail_server: 'mail.example', mail_port: 587 }],
  },
  {
    what: 'holds payments for completed',
    from: '034_add_calendar_events',
    to: '035_enhance_payments',
    rows: `${invoice} INSERT INTO payments (invoice_id, amount) VALUES (1, 10);`,
    query: 'SELECT amount, status, received_by, gateway_fee FROM payments',
    after: [{ amount: '10.00', status: 'completed', received_by: null, gateway_fee: null }],
  },
  {
    what: 'splits the rate of a day and keeps the rest of the rates',
    from: '037_advanced_expenses',
    to: '038_fix_expenses_schema',
    rows: `DELETE FROM per_diem_rates; INSERT INTO per_diem_rates
        (country_code, location, rate_per_day, breakfast_deduction, valid_from, valid_to, currency_code)
      VALUES ('IT', 'Rome', 24.25, 5, '2024-01-01', '2024-12-31', 'EUR');`,
    query: `SELECT country, city, full_day_rate, half_day_rate, breakfast_rate, effective_from, effective_to
      FROM per_diem_rates WHERE is_active AND updated_at IS NOT NULL`,
    after: [
      {
        country: 'IT',
        city: 'Rome',
        full_day_rate: '24.25',
        half_day_rate: '12.13',
        breakfast_rate: null,
        effective_from: '2024-01-01',
        effective_to: '2024-12-31',
      },
    ],
  },
  {
    what: 'keeps mileage under the new names and fills its rate',
    from: '037_advanced_expenses',
    to: '038_fix_expenses_schema',
    rows: `${people} INSERT INTO mileage (user_id, trip_date, trip_purpose, start_location, end_location, distance_km,
        vehicle_registration, rate_per_km, total_amount)
      VALUES (1, '2024-01-01', 'visit', 'here', 'there', 10, 'B-1', NULL, 3),
             (1, '2024-01-02', 'visit', 'here', 'there', 10, 'B-1', 0.42, 4);`,
    query: `SELECT purpose, license_plate, rate_per_km, calculated_amount, is_round_trip, reimbursed, currency_code
      FROM mileage ORDER BY id`,
    after: ['0.3000', '0.4200'].map((rate_per_km, index) => ({
      purpose: 'visit',
      license_plate: 'B-1',
      rate_per_km,
      calculated_amount: `${3 + index}.00`,
      is_round_trip: false,
      reimbursed: false,
      currency_code: 'EUR',
    })),
  },
  {
    what: 'keeps per diems under the new names',
    from: '037_advanced_expenses',
    to: '038_fix_expenses_schema',
    rows: `${people} INSERT INTO per_diems (user_id, trip_start_date, trip_end_date, destination_country,
        destination_location, number_of_days, total_amount, currency_code)
      VALUES (1, '2024-01-01', '2024-01-03', 'IT', 'Rome', 3, 72, 'EUR');`,
    query: `SELECT start_date, end_date, country, city, full_days, calculated_amount, trip_purpose, half_days, total_days,
        full_day_rate, lunch_deduction, reimbursed
      FROM per_diems`,
    after: [
      {
        start_date: '2024-01-01',
        end_date: '2024-01-03',
        country: 'IT',
        city: 'Rome',
        full_days: 3,
        calculated_amount: '72.00',
        trip_purpose: 'Business trip',
        half_days: 0,
        total_days: '0.00',
        full_day_rate: '0.00',
        lunch_deduction: '0.00',
        reimbursed: false,
      },
    ],
  },
  {
    what: 'makes the template of the settings the one for A4',
    from: '040_import_export',
    to: '041_add_invoice_pdf_templates',
    rows: `INSERT INTO settings (id, mail_enabled, invoice_pdf_template_html, invoice_pdf_design_json)
      VALUES (1, FALSE, '<p>', '{}');`,
    query:
      'SELECT page_size, template_html, template_css, design_json, is_default FROM invoice_pdf_templates ORDER BY id',
    after: ['A4', 'Letter', 'A3', 'Legal', 'A5'].map((page_size) => ({
      page_size,
      template_html: page_size === 'A4' ? '<p>' : '',
      template_css: '',
      design_json: page_size === 'A4' ? '{}' : '',
      is_default: true,
    })),
  },
  {
    what: 'adds the templates that are missing beside others',
    from: '040_import_export',
    to: '041_add_invoice_pdf_templates',
    rows: `CREATE TABLE invoice_pdf_templates (id INTEGER PRIMARY KEY, page_size VARCHAR(20), is_default BOOLEAN);
      INSERT INTO invoice_pdf_templates VALUES (1, 'A6', FALSE);`,
    query: 'SELECT * FROM invoice_pdf_templates ORDER BY id',
    after: ['A6', 'A4', 'Letter', 'A3', 'Legal', 'A5'].map((page_size, index) => ({
      id: index + 1,
      page_size,
      is_default: index > 0,
    })),
  },
  {
    what: 'fills the columns of clients and users',
    from: '041_add_invoice_pdf_templates',
    to: '049',
    rows: people,
    query: `SELECT prepaid_hours_monthly, prepaid_reset_day, portal_enabled, portal_username, portal_issues_enabled,
        client_portal_enabled, client_id
      FROM clients CROSS JOIN users`,
    after: [
      {
        prepaid_hours_monthly: null,
        prepaid_reset_day: 1,
        portal_enabled: false,
        portal_username: null,
        portal_issues_enabled: true,
        client_portal_enabled: false,
        client_id: null,
      },
    ],
  },
  {
    what: 'makes kanban columns global ones',
    from: '042_client_prepaid_hours',
    to: '043',
    rows: "UPDATE kanban_columns SET label = 'Later' WHERE key = 'todo';",
    query: 'SELECT label, project_id FROM kanban_columns ORDER BY id LIMIT 2',
    after: [
      { label: 'Later', project_id: null },
      { label: 'In Progress', project_id: null },
    ],
  },
  {
    what: 'makes quotes of offers and keeps the links to them',
    from: '050',
    to: '056',
    rows: offer,
    query: `SELECT q.id, offer_number, q.title, discount_amount, approval_status, approved_by, q.client_id,
        p.quote_id AS of_project, i.quote_id AS of_invoice
      FROM quotes q CROSS JOIN projects p CROSS JOIN invoices i`,
    after: [
      {
        id: 7,
        offer_number: 'Q-7',
        title: 'Engine',
        discount_amount: '0.00',
        approval_status: 'not_required',
        approved_by: null,
        client_id: 1,
        of_project: 7,
        of_invoice: 7,
      },
    ],
  },
  {
    what: 'lets quotes stand where there are no offers',
    from: '050',
    to: '056',
    rows: `DROP TABLE offers; CREATE TABLE quotes (id INTEGER PRIMARY KEY, quote_number VARCHAR(50), client_id INTEGER,
        project_id INTEGER, created_by INTEGER, accepted_by INTEGER);
      INSERT INTO quotes (id, quote_number) VALUES (1, 'Q-1');`,
    query: 'SELECT id, quote_number, approval_status FROM quotes',
    after: [{ id: 1, quote_number: 'Q-1', approval_status: 'not_required' }],
  },
  {
    what: 'makes all comments internal',
    from: '053',
    to: '054',
    rows: `${people} INSERT INTO comments (content, project_id, user_id, created_at, updated_at)
      VALUES ('hm', 1, 1, '2024-01-01 08:00:00', '2024-01-01 08:00:00');`,
    query: 'SELECT content, quote_id, is_internal FROM comments WHERE is_internal = TRUE',
    after: [{ content: 'hm', quote_id: null, is_internal: true }],
  },
  {
    what: 'has no stock items on lines that are there',
    from: '058',
    to: '059',
    rows: `${invoice} INSERT INTO invoice_items (invoice_id, description, quantity, unit_price, total)
      VALUES (1, 'work', 1, 10, 10);`,
    query: 'SELECT description, stock_item_id, warehouse_id, is_stock_item FROM invoice_items',
    after: [{ description: 'work', stock_item_id: null, warehouse_id: null, is_stock_item: false }],
  },
];

describeEngines('what revisions 031 to 065 do to existing rows', ({ name, create }) => {
  let stage: Stage;
  let reached = '';

  beforeAll(async () => {
    stage = await openStage(await create());
  });

  /** Inserts rows into the database at `revision`. Name the revisions in their order. */
  const withRows = async (revision: string, rows: string, act: () => Promise<void>): Promise<void> => {
    if (revision !== reached) await stage.migrateTo(revision);
    reached = revision;
    await stage.aside(async () => {
      await stage.session.run(rows);
      await act();
    });
  };

  it.for(effects)('$to $what', async ({ from, to, rows, query, after }) => {
    await withRows(from, rows, async () => {
      await stage.migrateTo(to);
      expect(await stage.session.query(query)).toEqual(name === 'sqlite' ? after.map(asOnSqlite) : after);
    });
  });
});

describeEngines('revisions 031 to 065', ({ name, create }) => {
  const databaseAt = async (revision: string, rows: string): Promise<Stage> =>
    openStageAt(await create(), revision, rows);

  it('033 requires a value for mail in new settings', async () => {
    const stage = await databaseAt('033_add_email_settings', '');
    await expect(stage.session.run('INSERT INTO settings (id) VALUES (1)')).rejects.toThrow(/mail_enabled/);
  });

  it('037 adds no category whose name or code exists, and no rates to a table without the location', async () => {
    const taken = `
      CREATE TABLE expense_categories (id INTEGER PRIMARY KEY, name VARCHAR(100) UNIQUE, code VARCHAR(20) UNIQUE,
        color VARCHAR(7), icon VARCHAR(50), requires_receipt BOOLEAN, requires_approval BOOLEAN, is_active BOOLEAN);
      INSERT INTO expense_categories (id, name, code) VALUES (100, 'Meals', 'FOOD'), (101, 'Car', 'MILE');
      CREATE TABLE per_diem_rates (id INTEGER PRIMARY KEY, country_code VARCHAR(2));
      INSERT INTO per_diem_rates VALUES (1, 'IT');`;
    const numbered = `CREATE SEQUENCE next_category;
      ALTER TABLE expense_categories ALTER id SET DEFAULT nextval('next_category');`;
    const stage = await databaseAt('036_add_pdf_design_json', name === 'sqlite' ? taken : taken + numbered);
    await stage.migrateTo('037_advanced_expenses');
    const names = await stage.session.query('SELECT name FROM expense_categories ORDER BY name');
    expect(names.map((row) => row['name'])).toEqual([
      'Accommodation',
      'Car',
      'Equipment',
      'Meals',
      'Office Supplies',
      'Per Diem',
      'Travel',
    ]);
    expect(await stage.session.query('SELECT country_code FROM per_diem_rates')).toEqual([{ country_code: 'IT' }]);
  });

  it('041 makes an empty template for A4 if there are no settings', async () => {
    const stage = await databaseAt('041_add_invoice_pdf_templates', '');
    const rows = await stage.session.query("SELECT template_html FROM invoice_pdf_templates WHERE page_size = 'A4'");
    expect(rows).toEqual([{ template_html: '' }]);
  });

  it('043 allows a project a column with a global key, on PostgreSQL', async () => {
    const stage = await databaseAt('043', people);
    const column = "INSERT INTO kanban_columns (key, label, project_id) VALUES ('todo', 'To Do', 1)";
    if (name === 'postgresql') await stage.session.run(column);
    await expect(stage.session.run(column)).rejects.toThrow(/unique/i);
  });

  it('051 replaces the key and the index that earlier releases gave to links', async () => {
    const stage = await databaseAt('050', `${offer} CREATE INDEX ix_projects_offer_id ON projects (offer_id);`);
    if (name === 'postgresql') {
      const key = 'FOREIGN KEY (offer_id) REFERENCES offers(id) ON DELETE SET NULL';
      await stage.session.run(`ALTER TABLE projects ADD CONSTRAINT fk_projects_offer_id ${key}`);
    }
    await stage.migrateTo('051');
    const named = await stage.session.query(
      name === 'sqlite'
        ? "SELECT name FROM sqlite_schema WHERE name LIKE '%projects_offer%' OR name LIKE '%projects_quote%'"
        : `SELECT relname::text AS name FROM pg_class WHERE relname LIKE '%projects_quote%' OR relname LIKE '%projects_offer%'
           UNION ALL SELECT conname::text FROM pg_constraint WHERE confrelid = 'quotes'::regclass AND conrelid = 'projects'::regclass`,
    );
    const expected = name === 'sqlite' ? [] : [{ name: 'ix_projects_quote_id' }, { name: 'fk_projects_quote_id' }];
    expect(named).toEqual(expected);
  });

  it('051 does not choose between quotes and offers that have rows', async () => {
    const stage = await databaseAt('050', `${offer} CREATE TABLE quotes (id INTEGER PRIMARY KEY);`);
    await expect(stage.migrateTo('051')).rejects.toThrow(/quotes already/);
  });
});
