import type { Migration } from '../src/migration/migration.ts';

export const revision = '063';
export const parents: readonly string[] = ['062'];

/** Creates contacts, leads and deals, with their communications and activities. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('contacts', {
    id: 'SERIAL PRIMARY KEY',
    client_id: 'INTEGER NOT NULL REFERENCES clients(id)',
    first_name: 'VARCHAR(100) NOT NULL',
    last_name: 'VARCHAR(100) NOT NULL',
    email: 'VARCHAR(200)',
    phone: 'VARCHAR(50)',
    mobile: 'VARCHAR(50)',
    title: 'VARCHAR(100)',
    department: 'VARCHAR(100)',
    role: "VARCHAR(50) DEFAULT 'contact'",
    is_primary: 'BOOLEAN NOT NULL DEFAULT FALSE',
    address: 'TEXT',
    notes: 'TEXT',
    tags: 'VARCHAR(500)',
    is_active: 'BOOLEAN NOT NULL DEFAULT TRUE',
    created_by: 'INTEGER NOT NULL REFERENCES users(id)',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('contacts', ['client_id'], { name: 'ix_contacts_client_id' });
  await schema.addIndex('contacts', ['email'], { name: 'ix_contacts_email' });

  await schema.createTable('leads', {
    id: 'SERIAL PRIMARY KEY',
    first_name: 'VARCHAR(100) NOT NULL',
    last_name: 'VARCHAR(100) NOT NULL',
    company_name: 'VARCHAR(200)',
    email: 'VARCHAR(200)',
    phone: 'VARCHAR(50)',
    title: 'VARCHAR(100)',
    source: 'VARCHAR(100)',
    status: "VARCHAR(50) NOT NULL DEFAULT 'new'",
    score: 'INTEGER DEFAULT 0',
    estimated_value: 'NUMERIC(10,2)',
    currency_code: "VARCHAR(3) NOT NULL DEFAULT 'EUR'",
    converted_to_client_id: 'INTEGER REFERENCES clients(id)',
    converted_to_deal_id: 'INTEGER',
    converted_at: 'TIMESTAMP',
    converted_by: 'INTEGER REFERENCES users(id)',
    notes: 'TEXT',
    tags: 'VARCHAR(500)',
    created_by: 'INTEGER NOT NULL REFERENCES users(id)',
    owner_id: 'INTEGER REFERENCES users(id)',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('leads', ['converted_to_client_id'], { name: 'ix_leads_converted_to_client_id' });
  await schema.addIndex('leads', ['converted_to_deal_id'], { name: 'ix_leads_converted_to_deal_id' });
  await schema.addIndex('leads', ['email'], { name: 'ix_leads_email' });
  await schema.addIndex('leads', ['owner_id'], { name: 'ix_leads_owner_id' });
  await schema.addIndex('leads', ['status'], { name: 'ix_leads_status' });

  await schema.createTable('deals', {
    id: 'SERIAL PRIMARY KEY',
    client_id: 'INTEGER REFERENCES clients(id)',
    contact_id: 'INTEGER REFERENCES contacts(id)',
    lead_id: 'INTEGER REFERENCES leads(id)',
    name: 'VARCHAR(200) NOT NULL',
    description: 'TEXT',
    stage: "VARCHAR(50) NOT NULL DEFAULT 'prospecting'",
    value: 'NUMERIC(10,2)',
    currency_code: "VARCHAR(3) NOT NULL DEFAULT 'EUR'",
    probability: 'INTEGER DEFAULT 50',
    expected_close_date: 'DATE',
    actual_close_date: 'DATE',
    status: "VARCHAR(20) NOT NULL DEFAULT 'open'",
    loss_reason: 'VARCHAR(500)',
    related_quote_id: 'INTEGER REFERENCES quotes(id)',
    related_project_id: 'INTEGER REFERENCES projects(id)',
    notes: 'TEXT',
    created_by: 'INTEGER NOT NULL REFERENCES users(id)',
    owner_id: 'INTEGER REFERENCES users(id)',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
    closed_at: 'TIMESTAMP',
  });
  await schema.addIndex('deals', ['client_id'], { name: 'ix_deals_client_id' });
  await schema.addIndex('deals', ['contact_id'], { name: 'ix_deals_contact_id' });
  await schema.addIndex('deals', ['expected_close_date'], { name: 'ix_deals_expected_close_date' });
  await schema.addIndex('deals', ['lead_id'], { name: 'ix_deals_lead_id' });
  await schema.addIndex('deals', ['owner_id'], { name: 'ix_deals_owner_id' });
  await schema.addIndex('deals', ['related_project_id'], { name: 'ix_deals_related_project_id' });
  await schema.addIndex('deals', ['related_quote_id'], { name: 'ix_deals_related_quote_id' });
  await schema.addIndex('deals', ['stage'], { name: 'ix_deals_stage' });

  await schema.createTable(
    'contact_communications',
    {
      id: 'SERIAL PRIMARY KEY',
      contact_id: 'INTEGER NOT NULL REFERENCES contacts(id)',
      type: 'VARCHAR(50) NOT NULL',
      subject: 'VARCHAR(500)',
      content: 'TEXT',
      direction: "VARCHAR(20) NOT NULL DEFAULT 'outbound'",
      communication_date: 'TIMESTAMP NOT NULL',
      follow_up_date: 'TIMESTAMP',
      status: 'VARCHAR(50)',
      related_project_id: 'INTEGER REFERENCES projects(id)',
      related_quote_id: 'INTEGER REFERENCES quotes(id)',
      related_deal_id: 'INTEGER',
      created_by: 'INTEGER NOT NULL REFERENCES users(id)',
      created_at: 'TIMESTAMP NOT NULL',
      updated_at: 'TIMESTAMP NOT NULL',
    },
    {
      fk_contact_communications_related_deal_id: 'FOREIGN KEY (related_deal_id) REFERENCES deals(id)',
    },
  );
  await schema.addIndex('contact_communications', ['communication_date'], {
    name: 'ix_contact_communications_communication_date',
  });
  await schema.addIndex('contact_communications', ['contact_id'], { name: 'ix_contact_communications_contact_id' });
  await schema.addIndex('contact_communications', ['related_deal_id'], {
    name: 'ix_contact_communications_related_deal_id',
  });
  await schema.addIndex('contact_communications', ['related_project_id'], {
    name: 'ix_contact_communications_related_project_id',
  });
  await schema.addIndex('contact_communications', ['related_quote_id'], {
    name: 'ix_contact_communications_related_quote_id',
  });

  await schema.createTable('deal_activities', {
    id: 'SERIAL PRIMARY KEY',
    deal_id: 'INTEGER NOT NULL REFERENCES deals(id)',
    type: 'VARCHAR(50) NOT NULL',
    subject: 'VARCHAR(500)',
    description: 'TEXT',
    activity_date: 'TIMESTAMP NOT NULL',
    due_date: 'TIMESTAMP',
    status: "VARCHAR(50) DEFAULT 'completed'",
    created_by: 'INTEGER NOT NULL REFERENCES users(id)',
    created_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('deal_activities', ['activity_date'], { name: 'ix_deal_activities_activity_date' });
  await schema.addIndex('deal_activities', ['deal_id'], { name: 'ix_deal_activities_deal_id' });

  await schema.createTable('lead_activities', {
    id: 'SERIAL PRIMARY KEY',
    lead_id: 'INTEGER NOT NULL REFERENCES leads(id)',
    type: 'VARCHAR(50) NOT NULL',
    subject: 'VARCHAR(500)',
    description: 'TEXT',
    activity_date: 'TIMESTAMP NOT NULL',
    due_date: 'TIMESTAMP',
    status: "VARCHAR(50) DEFAULT 'completed'",
    created_by: 'INTEGER NOT NULL REFERENCES users(id)',
    created_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('lead_activities', ['activity_date'], { name: 'ix_lead_activities_activity_date' });
  await schema.addIndex('lead_activities', ['lead_id'], { name: 'ix_lead_activities_lead_id' });
};
